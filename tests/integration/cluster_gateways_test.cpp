#include "cluster_lab.hpp"
#include "runtime/certificates/secret_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

// More gateways under load: nodes 4 and 5 join as gateways on one address and port.

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto limit = 60s;
constexpr int shared_at = 6; ///< both listen where node 6's gateway would
constexpr std::array gateways{4, 5};

struct gateways_lab : cluster_lab {
  gateways_lab() : cluster_lab{true, {}, lab_plan::members} { start_all(1); }

  /// Beside the shared port each has its own for operators; a gateway needs no port for pages.
  void start_gateway(int number, std::vector<std::string> more = {}) {
    more.emplace_back("gateway.share_port=true");
    more.push_back("gateway.operator_listen=127.0.0.1:" + std::to_string(page_port(number)));
    start(number, std::move(more));
  }

  /// Is this very one ready?
  [[nodiscard]] bool ready(int number) const {
    auto operators
        = gateway_client::make("http://127.0.0.1:" + std::to_string(page_port(number)), "");
    client_request call;
    call.path = "/ready";
    auto reply = operators->ask(call);
    return reply && reply->status == 200;
  }
  void await_ready(int number) const {
    REQUIRE_MESSAGE(becomes_true(limit, [&] { return ready(number); }), end_of_log(number));
  }

  [[nodiscard]] std::string token() const {
    auto text = read_small_file(folder() / "cluster" / "admin-token", "the token");
    REQUIRE(text.has_value());
    return text->substr(0, text->find_last_not_of('\n') + 1);
  }
};

/// A user of the shared port: creates VMs one after the other, each until it is
/// acknowledged; a connection that was reset is no answer, so it asks again with the key.
class writer {
public:
  explicit writer(const gateways_lab& lab)
      : thread_{[this, &lab] {
          for (int i = 0; !over_; ++i) {
            const auto name = "w-" + std::to_string(i);
            while (!over_) {
              auto reply = lab.ask_at(shared_at, "POST", "/api/v1/vms", vm_body(name, 16), name);
              if (reply && reply->status == 201) {
                const std::scoped_lock lock{mutex_};
                acknowledged_.insert(field_text(reply->body, "id"));
                break;
              }
              const bool later = reply && reply->status == 503 && reply->retry_after;
              ++(!reply ? reset_ : later ? sent_away_ : wrong_);
            }
          }
        }} {
    // nop
  }
  ~writer() { stop(); }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;

  std::set<std::string> stop() {
    over_ = true;
    if (thread_.joinable())
      thread_.join();
    return acknowledged_;
  }
  [[nodiscard]] std::set<std::string> acknowledged() const {
    const std::scoped_lock lock{mutex_};
    return acknowledged_;
  }
  [[nodiscard]] size_t count() const { return acknowledged().size(); }
  [[nodiscard]] int reset() const { return reset_; }
  [[nodiscard]] int sent_away() const { return sent_away_; }
  /// Answers that are neither an acknowledgement nor tell when to come back.
  [[nodiscard]] int wrong() const { return wrong_; }

private:
  mutable std::mutex mutex_;
  std::set<std::string> acknowledged_;
  std::atomic<int> reset_ = 0;
  std::atomic<int> sent_away_ = 0;
  std::atomic<int> wrong_ = 0;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

/// Follows the events over WebSockets of the shared port, and resumes from the last revision
/// whenever one ends.
class follower {
public:
  follower(const gateways_lab& lab, uint64_t since)
      : since_{since}, thread_{[this,
                                client = gateway_client::make(lab.url(shared_at), lab.token())] {
          while (!over_) {
            ++begun_;
            auto end = client->follow("/api/v1/events?since=" + std::to_string(since_),
                                      [this](const boost::json::value& events) {
                                        take(events);
                                        return !over_;
                                      });
            if (end && end->status == 410)
              ++lost_;
          }
        }} {
    // nop
  }
  ~follower() {
    over_ = true;
    thread_.join();
  }
  follower(const follower&) = delete;
  follower& operator=(const follower&) = delete;

  /// Ids of the VMs whose changes it saw.
  [[nodiscard]] bool saw(const std::set<std::string>& ids) const {
    const std::scoped_lock lock{mutex_};
    return std::ranges::includes(seen_, ids);
  }
  [[nodiscard]] int begun() const { return begun_; }
  [[nodiscard]] int lost() const { return lost_; }
  [[nodiscard]] int backwards() const { return backwards_; }

private:
  void take(const boost::json::value& events) {
    for (const auto& event : events.as_array()) {
      const auto revision = static_cast<uint64_t>(field_number(event, "revision"));
      if (revision < since_)
        ++backwards_;
      since_ = revision;
      if (field_text(event, "type") != "vm")
        continue;
      const std::scoped_lock lock{mutex_};
      seen_.insert(field_text(field(event, "record"), "id"));
    }
  }

  mutable std::mutex mutex_;
  std::set<std::string> seen_;
  uint64_t since_;
  std::atomic<int> begun_ = 0;
  std::atomic<int> lost_ = 0;
  std::atomic<int> backwards_ = 0;
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

/// Ends the gateways, so that no follower waits for an event that doesn't come.
struct end_of_gateways {
  gateways_lab& lab;
  ~end_of_gateways() {
    for (int each : gateways)
      lab.process(each).signal(SIGKILL);
  }
};

} // namespace

TEST_CASE("gateways are added under load on one port; one that is killed leaves all to the other") {
  gateways_lab lab;
  for (int each : gateways)
    lab.let_join(each, "gateway", shared_at);
  lab.start_gateway(4);
  lab.await_ready(4);
  writer writing{lab};
  // Enough that each of the two has some: which one takes a connection is the kernel's choice.
  std::vector<std::unique_ptr<follower>> followers;
  REQUIRE(becomes_true(limit, [&] { return writing.count() > 5; }));

  lab.start_gateway(5);
  const end_of_gateways end{lab};
  lab.await_ready(5);
  // A gateway knows no event of before it was started: who asks for those has to list again.
  const auto now = lab.ask_at(1, "GET", "/api/v1/vms?limit=1000&consistency=linearizable");
  REQUIRE((now && now->status == 200 && field_text(now->body, "next_cursor").empty()));
  const auto revision = static_cast<uint64_t>(field_number(now->body, "revision"));
  std::set<std::string> earlier; // what is acknowledged may be later or earlier than that
  for (const auto& each : field(now->body, "items").as_array())
    earlier.insert(field_text(each, "id"));
  for (int i = 0; i < 8; ++i)
    followers.push_back(std::make_unique<follower>(lab, revision));
  auto more = [&](size_t count) {
    const auto before = writing.count();
    return becomes_true(limit, [&] { return writing.count() > before + count; });
  };
  CHECK(more(20));
  auto all_saw = [&] {
    auto acknowledged = writing.stop();
    for (const auto& id : earlier)
      acknowledged.erase(id);
    return std::ranges::all_of(followers, [&](const auto& each) {
      return becomes_true(limit, [&] { return each->saw(acknowledged); });
    });
  };

  for (int killed : {5, 4}) {
    CAPTURE(killed);
    const auto resets = writing.reset();
    lab.kill(killed);
    CHECK(more(20));
    MESSAGE("after ", killed, ": ", writing.reset() - resets, " connections were reset");
    lab.start_gateway(killed);
    lab.await_ready(killed);
    CHECK(more(20));
  }
  // A new one may listen some moments before it knows where proposals go.
  MESSAGE(writing.sent_away(), " requests were told to come back");
  CHECK(writing.wrong() == 0);
  CHECK(all_saw());
  int resumed = 0;
  for (const auto& each : followers) {
    resumed += each->begun() - 1;
    CHECK(each->lost() == 0);
    CHECK(each->backwards() == 0);
  }
  CHECK(resumed >= 8); // each of them lost its gateway, in the first or in the second round
  for (int each : gateways)
    CHECK(lab.ready(each));
}

TEST_CASE("a gateway that is full has one more started, which serves what is left to it") {
  gateways_lab lab;
  for (int each : gateways)
    lab.let_join(each, "gateway", shared_at);
  const auto wanted = lab.folder() / "wanted";
  const auto script = lab.folder() / "one-more";
  std::ofstream{script} << "#!/bin/sh\necho \"$@\" >> " << wanted.native() << '\n';
  lab.start_gateway(4, {"gateway.in_flight=4",
                        "gateway.scale_out_command=[\"" + script.native() + "\", \"node-5\"]"});
  // It can't be executed yet.
  REQUIRE(lab.process(4).wait(10s));
  CHECK(lab.process(4).ending() == "status 2");
  std::filesystem::permissions(script, std::filesystem::perms::owner_all);
  lab.start_gateway(4, {"gateway.in_flight=4",
                        "gateway.scale_out_command=[\"" + script.native() + "\", \"node-5\"]"});
  lab.await_ready(4);
  std::atomic<bool> over = false;
  std::atomic<int> lists = 0;
  std::vector<std::jthread> users;
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < 12; ++i) // three times as many as it lets in, and each stays for a second
    users.emplace_back([&] {
      while (!over) {
        (void)lab.ask_at(shared_at, "GET", "/api/v1/vms?min_revision=1000000000000");
        const auto reply = lab.ask_at(shared_at, "GET", "/api/v1/vms");
        lists += reply && reply->ok() ? 1 : 0;
      }
    });
  CHECK_MESSAGE(becomes_true(limit, [&] { return std::filesystem::exists(wanted); }),
                lab.end_of_log(4));
  MESSAGE("one more was asked for after ",
          std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(), " s");
  lab.start_gateway(5); // as the script would have done it by systemd
  lab.await_ready(5);
  lab.kill(4);
  const auto before = lists.load();
  CHECK(becomes_true(limit, [&] { return lists > before + 20; }));
  over = true;
  users.clear();
  auto asked = read_small_file(wanted, "what was asked for");
  REQUIRE(asked.has_value());
  CHECK(*asked == "node-5 node-4\n"); // once
}

TEST_CASE("a gateway that doesn't share its port says who is to") {
  gateways_lab lab;
  for (int each : gateways)
    lab.let_join(each, "gateway", shared_at);
  lab.start_gateway(4);
  lab.await_ready(4);
  lab.start(5); // without gateway.share_port
  REQUIRE(lab.process(5).wait(10s));
  CHECK(lab.process(5).ending() == "status 2");
}
