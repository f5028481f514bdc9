#include "cluster_lab.hpp"

#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <mutex>
#include <thread>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr int writers = 4;
constexpr int creates_of_each = 20; // what the hosts of the lab can take
constexpr int kills = 4;
constexpr int acknowledged_between_kills = writers * creates_of_each / (kills + 1);

void start_three(cluster_lab& lab) {
  lab.start_all();
}

/// What was acknowledged: the ids by their names.
class acknowledged_creates {
public:
  void add(const std::string& name, const client_reply& reply) {
    std::lock_guard lock{mutex_};
    if (reply.status == 201)
      ids_[name] = field_text(reply.body, "id");
    else
      refused_ += name + ": " + std::to_string(reply.status) + ' '
                  + boost::json::serialize(reply.body) + '\n';
  }
  [[nodiscard]] int count() const {
    std::lock_guard lock{mutex_};
    return static_cast<int>(ids_.size());
  }
  [[nodiscard]] const std::map<std::string, std::string>& ids() const { return ids_; }
  [[nodiscard]] const std::string& refused() const { return refused_; }

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> ids_;
  std::string refused_;
};

struct expected_problem {
  unsigned status;
  std::string code;    ///< the end of the problem's type
  std::string mention; ///< in its detail
};

void check_problem(const result<client_reply>& reply, const expected_problem& expected) {
  REQUIRE_MESSAGE(reply.has_value(), (reply ? std::string{} : reply.error().message));
  const auto text = boost::json::serialize(reply->body);
  CHECK_MESSAGE(reply->status == expected.status, text);
  CHECK_MESSAGE(field_text(reply->body, "type") == "urn:novacron:problem:" + expected.code, text);
  CHECK_MESSAGE(field_text(reply->body, "detail").find(expected.mention) != std::string::npos,
                text);
}

} // namespace

TEST_CASE("each create that was acknowledged while the controller was killed is listed once") {
  cluster_lab lab{true};
  start_three(lab);
  acknowledged_creates acknowledged;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer)
    threads.emplace_back([&, writer] {
      for (int i = 0; i < creates_of_each; ++i) {
        const auto name = "written-" + std::to_string(writer) + '-' + std::to_string(i);
        acknowledged.add(name, lab.insist("POST", "/api/v1/vms", vm_body(name, 16), "key-" + name));
      }
    });
  int killed = 0;
  for (int i = 1; i <= kills; ++i) {
    becomes_true(60s, [&] { return acknowledged.count() >= i * acknowledged_between_kills; });
    killed += acknowledged.count() < writers * creates_of_each ? 1 : 0; // in the middle of writes
    lab.process(1).signal(SIGKILL);
    if (lab.process(1).wait(10s))
      lab.start(1);
  }
  for (auto& thread : threads)
    thread.join();
  CHECK(killed == kills);
  CHECK_MESSAGE(acknowledged.refused().empty(), acknowledged.refused());
  CHECK(acknowledged.ids().size() == writers * creates_of_each);

  std::map<std::string, std::vector<std::string>> listed;
  for (const auto& vm : lab.list("vms"))
    listed[field_text(vm, "name")].push_back(field_text(vm, "id"));
  CHECK(listed.size() == acknowledged.ids().size()); // nothing that nobody asked for
  for (const auto& [name, id] : acknowledged.ids())
    CHECK_MESSAGE(listed[name] == std::vector{id}, name);
}

TEST_CASE("a create that is repeated with its key after the controller was killed is the same vm") {
  cluster_lab lab{true};
  lab.start(1);
  REQUIRE(lab.await_hosts(1));
  auto first = lab.insist("POST", "/api/v1/vms", vm_body("once", 16), "the-key");
  REQUIRE(first.status == 201);
  lab.kill(1);
  lab.start(1);
  auto second = lab.insist("POST", "/api/v1/vms", vm_body("once", 16), "the-key");
  CHECK(second.status == 201);
  CHECK(field_text(second.body, "id") == field_text(first.body, "id"));
  auto other = lab.insist("POST", "/api/v1/vms", vm_body("another", 16), "the-key");
  CHECK(other.status == 422);
  CHECK(lab.list("vms").size() == 1);
}

TEST_CASE("a real node answers bad input with what is wrong") {
  cluster_lab lab{true};
  start_three(lab);
  auto made = lab.insist("POST", "/api/v1/vms", vm_body("web", 64), "web");
  REQUIRE(made.status == 201);
  const auto web = "/api/v1/vms/" + field_text(made.body, "id");
  const auto host = field_text(made.body, "host");

  check_problem(lab.ask("GET", "/api/v1/vms/00000000-0000-4000-8000-000000000001"),
                {404, "unknown_vm", "00000000-0000-4000-8000-000000000001"});
  check_problem(lab.ask("POST", "/api/v1/vms", vm_body("web", 64)), {409, "name_taken", "web"});
  check_problem(lab.ask("POST", "/api/v1/vms", vm_body("huge", 1'000'000)),
                {409, "no_capacity", "1000000 MiB"});
  check_problem(lab.ask("POST", "/api/v1/vms", vm_body("red", 64, ",\"colour\":\"red\"")),
                {400, "bad_field", "/colour"});
  check_problem(lab.ask("POST", "/api/v1/vms", std::string(2U << 20U, ' ')),
                {413, "body_too_large", "1048576"});

  REQUIRE(lab.end_of(lab.insist("POST", web + "/start", {}, "start")) == "succeeded");
  check_problem(lab.ask("POST", web + "/migrate", R"({"to":")" + host + "\"}"),
                {422, "same_host", "web"});
  REQUIRE(lab.end_of(lab.insist("POST", web + "/stop", {}, "stop")) == "succeeded");
  REQUIRE(lab.end_of(lab.insist("DELETE", web, {}, "delete")) == "succeeded");
  check_problem(lab.ask("POST", web + "/start"), {409, "vm_deleted", "web"});

  auto stranger = gateway_client::make(lab.url(), "wrong");
  REQUIRE(stranger.has_value());
  client_request call;
  call.path = "/api/v1/vms";
  check_problem(stranger->ask(call), {401, "unauthorized", "token"});

  CHECK(lab.list("vms").empty()); // none of this left anything
}
