#include "actors/gateway/api.hpp"
#include "gateway_fake_log.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

const std::string good_create = R"({"name":"web-1","vcpus":2,"memory_mib":256,"image":"debian"})";

/// The API with a fake log, without sockets or actors.
struct api_fixture {
  std::shared_ptr<view_table> view = std::make_shared<view_table>();
  std::shared_ptr<small_log> log = std::make_shared<small_log>(view);
  std::vector<kill_actor> kills;
  std::shared_ptr<const api> served = make(true);
  std::vector<api_answer> answers;
  uint64_t next_id = 100;

  std::shared_ptr<const api> make(bool chaos) {
    api::backend way;
    way.propose = [this](const proposal& wish, const auto& done) {
      auto outcome = (*log)(wish.commands.at(0));
      done(outcome ? std::optional{outcomes{{*outcome}}} : std::nullopt);
    };
    if (chaos)
      way.kill = [this](const kill_actor& whom, const auto& done) {
        kills.push_back(whom);
        done(whom.path != "nobody", "no such actor: nobody");
      };
    way.ids = [this] { return uuid_of(next_id++); };
    return std::make_shared<const api>(gateway_limits{},
                                       token_table::make({{"ann", sha256_hex("secret")}}).value(),
                                       view, way, std::make_shared<api_metrics>(nullptr));
  }

  api_request request(std::string method, std::string target, std::string body = "") {
    api_request result;
    result.method = std::move(method);
    result.target = std::move(target);
    result.body = std::move(body);
    result.authorization = "Bearer secret";
    return result;
  }

  /// The answer, which must have come at once.
  api_answer ask(const api_request& wish) {
    answers.clear();
    served->handle(wish, [this](api_answer answer) { answers.push_back(std::move(answer)); });
    REQUIRE(answers.size() == 1);
    return answers.front();
  }
  api_answer ask(std::string method, std::string target, std::string body = "") {
    return ask(request(std::move(method), std::move(target), std::move(body)));
  }

  static json::object shown(const api_answer& answer) {
    return json::parse(*answer.body).as_object();
  }
  static std::string header(const api_answer& answer, const std::string& name) {
    for (const auto& [key, value] : answer.headers)
      if (key == name)
        return value;
    return {};
  }
  static std::string field(const api_answer& answer) {
    auto document = shown(answer);
    return document.contains("field") ? document.at("field").as_string().c_str() : "";
  }

  const std::string vm_path = "/api/v1/vms/" + to_string(uuid_of(7));
};

} // namespace

TEST_CASE_FIXTURE(api_fixture, "a create answers 201 with the VM as the log made it") {
  auto answer = ask("POST", "/api/v1/vms", good_create);
  CHECK(answer.status == 201);
  auto vm = shown(answer);
  CHECK(vm.at("name").as_string() == "web-1");
  CHECK(vm.at("host").as_string() == "node-9");
  CHECK(vm.at("memory_mib").as_int64() == 256);
  CHECK(header(answer, "Location") == "/api/v1/vms/" + std::string{vm.at("id").as_string()});
  CHECK(header(answer, "ETag") == "\"2\"");
  CHECK(ask("GET", header(answer, "Location")).status == 200);
  CHECK(std::get<create_vm>(log->commands.at(0).body).host.nil()); // the scheduler's to choose
}

TEST_CASE_FIXTURE(api_fixture, "a name that is taken is 409") {
  ask("POST", "/api/v1/vms", good_create);
  auto answer = ask("POST", "/api/v1/vms", good_create);
  CHECK(answer.status == 409);
  CHECK(answer.content_type == "application/problem+json");
  CHECK(shown(answer).at("type").as_string() == "urn:novacron:problem:name_taken");
}

TEST_CASE_FIXTURE(api_fixture, "a verb answers 202 with a running operation") {
  for (auto verb : {"start", "stop", "pause", "resume", "migrate"}) {
    CAPTURE(verb);
    auto answer = ask("POST", vm_path + "/" + verb);
    CHECK(answer.status == 202);
    CHECK(shown(answer).at("state").as_string() == "running");
    CHECK(ask("GET", header(answer, "Location")).status == 200);
  }
  CHECK(ask("DELETE", vm_path).status == 202);
  auto state
      = [&](size_t i) { return std::get<request_state>(log->commands.at(i).body).requested; };
  CHECK(state(0) == requested_state::running);
  CHECK(state(1) == requested_state::stopped);
  CHECK(state(2) == requested_state::paused);
  CHECK(state(3) == requested_state::running);
  CHECK(std::get<reserve_migration>(log->commands.at(4).body).to.nil());
  CHECK(state(5) == requested_state::deleted);
}

TEST_CASE_FIXTURE(api_fixture, "a wait answers when the operation ends") {
  served->handle(request("POST", vm_path + "/start?wait=30s"),
                 [this](api_answer answer) { answers.push_back(std::move(answer)); });
  CHECK(answers.empty());
  log->finish(std::get<request_state>(log->commands.at(0).body).operation, operation_state::failed);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 200);
  CHECK(shown(answers[0]).at("state").as_string() == "failed");
}

TEST_CASE_FIXTURE(api_fixture, "waits take half of the places; who comes later isn't kept") {
  auto note = [this](api_answer answer) { answers.push_back(std::move(answer)); };
  for (size_t i = 0; i <= gateway_limits{}.in_flight / 2; ++i)
    served->handle(request("POST", vm_path + "/start?wait=30s"), note);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 202);
  view->expire(view_table::clock::now() + 31s); // the others, which leave their places
  served->handle(request("POST", vm_path + "/start?wait=30s"), note);
  CHECK(answers.size() == gateway_limits{}.in_flight / 2 + 1);
}

TEST_CASE_FIXTURE(api_fixture, "a wait that is over too early answers 202") {
  served->handle(request("POST", vm_path + "/start?wait=1s"),
                 [this](api_answer answer) { answers.push_back(std::move(answer)); });
  view->expire(view_table::clock::now() + 2s);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 202);
}

TEST_CASE_FIXTURE(api_fixture, "a destination is named by its name or its id") {
  ask("POST", vm_path + "/migrate", R"({"to":"node-9"})");
  ask("POST", vm_path + "/migrate", "{\"to\":\"" + to_string(uuid_of(8)) + "\"}");
  CHECK(std::get<reserve_migration>(log->commands.at(0).body).to == node_id{uuid_of(9)});
  CHECK(std::get<reserve_migration>(log->commands.at(1).body).to == node_id{uuid_of(8)});
  auto answer = ask("POST", vm_path + "/migrate", R"({"to":"node-77"})");
  CHECK(answer.status == 404);
  CHECK(field(answer) == "/to");
}

TEST_CASE_FIXTURE(api_fixture, "the log's refusals come with their status") {
  for (auto [error, status] : {std::pair{command_errc::unknown_vm, 404U},
                               {command_errc::vm_deleted, 409U},
                               {command_errc::same_host, 422U},
                               {command_errc::revision_mismatch, 412U},
                               {command_errc::overloaded, 503U}}) {
    log->refuse_with = error;
    auto answer = ask("POST", vm_path + "/start");
    CHECK(answer.status == status);
    CHECK((header(answer, "Retry-After") == "1") == (status == 503));
  }
}

TEST_CASE_FIXTURE(api_fixture, "no answer from the log is an unknown outcome") {
  log->silent = true;
  auto answer = ask("POST", vm_path + "/start");
  CHECK(answer.status == 503);
  CHECK(shown(answer).at("type").as_string() == "urn:novacron:problem:unknown_outcome");
}

TEST_CASE_FIXTURE(api_fixture, "an If-Match becomes the revision that the log compares") {
  auto wish = request("POST", vm_path + "/start");
  auto revision = [&] { return std::get<request_state>(log->commands.back().body).if_revision; };
  wish.if_match = "\"42\"";
  ask(wish);
  CHECK(revision() == 42);
  wish.if_match = "*";
  ask(wish);
  CHECK(revision() == 0);
  for (auto bad : {"", "\"\"", "x", "\"1", "W/\"1\"", "0", "-1"}) {
    wish.if_match = bad;
    auto answer = ask(wish);
    CHECK(answer.status == 400);
    CHECK(field(answer) == "If-Match");
  }
}

TEST_CASE_FIXTURE(api_fixture,
                  "a key is the principal's, and its hash covers method, path and body") {
  auto wish = request("POST", "/api/v1/vms", good_create);
  wish.idempotency_key = "key-1";
  ask(wish);
  ask(wish);
  wish.body += " ";
  ask(wish);
  const auto& sent = log->commands;
  CHECK(sent.at(0).idempotency.principal == "ann");
  CHECK(sent.at(0).idempotency.key == "key-1");
  CHECK(sent.at(0).idempotency.body_hash == sent.at(1).idempotency.body_hash);
  CHECK(sent.at(0).idempotency.body_hash != sent.at(2).idempotency.body_hash);
  for (auto bad : {std::string{}, std::string(129, 'k'), std::string{"a b"}, std::string{"\x01"}}) {
    wish.idempotency_key = bad;
    CHECK(field(ask(wish)) == "Idempotency-Key");
  }
}

TEST_CASE_FIXTURE(api_fixture, "without a key each call gets one of its own") {
  ask("POST", vm_path + "/start");
  ask("POST", vm_path + "/start");
  CHECK(!log->commands.at(0).idempotency.key.empty());
  CHECK(log->commands.at(0).idempotency.key != log->commands.at(1).idempotency.key);
}

TEST_CASE_FIXTURE(api_fixture, "no or a wrong token is 401, whatever was asked for") {
  for (auto target : {"/api/v1/vms", "/api/v1/nothing", "/nothing"}) {
    auto wish = request("GET", target);
    wish.authorization = "Bearer wrong";
    CHECK(ask(wish).status == 401);
    wish.authorization = "";
    auto answer = ask(wish);
    CHECK(answer.status == 401);
    CHECK(header(answer, "WWW-Authenticate") == "Bearer");
  }
  auto health = request("GET", "/health");
  health.authorization = "";
  CHECK(ask(health).status == 200);
}

TEST_CASE_FIXTURE(api_fixture, "what isn't there is 404, what can't be done 405") {
  CHECK(ask("GET", "/api/v1/vms/nonsense").status == 404);
  CHECK(ask("GET", "/api/v1/vms/" + to_string(uuid_of(1))).status == 404);
  CHECK(ask("POST", "/api/v1/vms/nonsense/start").status == 404);
  CHECK(ask("GET", "/api/v1/operations/" + to_string(uuid_of(1))).status == 404);
  CHECK(ask("GET", "/api/v1/migrations/x").status == 404);
  CHECK(ask("GET", "/api/v1/hosts/x").status == 404);
  auto answer = ask("PATCH", "/api/v1/vms");
  CHECK(answer.status == 405);
  CHECK(header(answer, "Allow") == "GET, POST");
  CHECK(log->commands.empty());
}

TEST_CASE_FIXTURE(api_fixture, "bad input is 400, names the field and asks the log nothing") {
  const std::vector<std::array<std::string, 4>> table{
      {"POST", "/api/v1/vms", R"({"name":"a"})", "/vcpus"},
      {"POST", "/api/v1/vms?wait=x&y=1", good_create, "?y"},
      {"POST", "/api/v1/vms?wait=soon", good_create, "?wait"},
      {"POST", "/api/v1/cluster/rebalance?dry=1", "", "?dry"},
      {"POST", "/api/v1/cluster/compare?x=1", "", "?x"},
      {"POST", "/api/v1/hosts/node-9/drain?x=1", "", "?x"},
      {"POST", vm_path + "/start", R"({"x":1})", "/x"},
      {"POST", vm_path + "/start?wait=soon", "", "?wait"},
      {"POST", vm_path + "/migrate", R"({"to":1})", "/to"},
      {"GET", "/api/v1/vms?limit=0", "", "?limit"},
      {"GET", "/api/v1/vms?limit=1001", "", "?limit"},
      {"GET", "/api/v1/vms?cursor=x", "", "?cursor"},
      {"GET", "/api/v1/vms?state=happy", "", "?state"},
      {"GET", "/api/v1/vms?colour=red", "", "?colour"},
      {"GET", "/api/v1/vms?min_revision=-1", "", "?min_revision"},
      {"GET", "/api/v1/migrations?vm=x", "", "?vm"},
      {"GET", "/api/v1/events?since=x", "", "?since"},
      {"POST", "/api/v1/chaos/kill", R"({"node":"node-9"})", "/actor"},
  };
  for (const auto& [method, target, body, name] : table) {
    CAPTURE(target);
    auto answer = ask(method, target, body);
    CHECK(answer.status == 400);
    CHECK(field(answer) == name);
  }
  CHECK(log->commands.empty());
  CHECK(kills.empty());
}

TEST_CASE_FIXTURE(api_fixture, "a read waits for the revision it asks for, but not for ever") {
  auto ask_for = [this](const std::string& revision) {
    answers.clear();
    served->handle(request("GET", vm_path + "?min_revision=" + revision),
                   [this](api_answer answer) { answers.push_back(std::move(answer)); });
  };
  ask_for("2");
  CHECK(answers.empty());
  CHECK(log->touch(7) == 2);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 200);
  CHECK(header(answers[0], "ETag") == "\"2\"");
  ask_for("99");
  view->expire(view_table::clock::now() + 2s);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].status == 503);
}

TEST_CASE_FIXTURE(api_fixture, "a list gives a cursor until its end") {
  for (uint64_t n = 1; n <= 3; ++n)
    log->touch(n);
  auto first = shown(ask("GET", "/api/v1/vms?limit=2"));
  CHECK(first.at("items").as_array().size() == 2);
  CHECK(first.at("revision").as_int64() == 4);
  auto cursor = std::string{first.at("next_cursor").as_string()};
  auto second = shown(ask("GET", "/api/v1/vms?limit=2&cursor=" + cursor));
  CHECK(second.at("items").as_array().size() == 1);
  CHECK(!second.contains("next_cursor"));
  CHECK(shown(ask("GET", "/api/v1/vms?host=node-9")).at("items").as_array().size() == 3);
  CHECK(shown(ask("GET", "/api/v1/vms?host=node-8")).at("items").as_array().empty());
  CHECK(shown(ask("GET", "/api/v1/vms?name=vm-2")).at("items").as_array().size() == 1);
  CHECK(shown(ask("GET", "/api/v1/hosts")).at("items").as_array().size() == 1);
}

TEST_CASE_FIXTURE(api_fixture, "events are read on from a revision, whole revisions at a time") {
  view->changed(vm_of(1, 2));
  view->changed(vm_of(2, 2));
  view->changed(vm_of(3, 3));
  view->advance(3);
  auto first = shown(ask("GET", "/api/v1/events?since=1&limit=1"));
  CHECK(first.at("items").as_array().size() == 2);
  CHECK(first.at("next").as_int64() == 2);
  auto second = shown(ask("GET", "/api/v1/events?since=2"));
  CHECK(second.at("items").as_array().size() == 1);
  CHECK(second.at("next").as_int64() == 3);
  auto none = shown(ask("GET", "/api/v1/events?since=3"));
  CHECK(none.at("items").as_array().empty());
  CHECK(none.at("next").as_int64() == 3);
  CHECK(ask("GET", "/api/v1/events?since=0").status == 410);
}

TEST_CASE("until the first listing is read nothing is ready, and nothing is shown as empty") {
  api_fixture fixture;
  fixture.view = std::make_shared<view_table>();
  fixture.served = fixture.make(true);
  CHECK(fixture.ask("GET", "/ready").status == 503);
  CHECK(fixture.ask("GET", "/health").status == 200);
  CHECK(fixture.ask("GET", "/api/v1/vms").status == 503);
  CHECK(fixture.ask("GET", fixture.vm_path).status == 503);
  CHECK(fixture.ask("GET", "/api/v1/events?since=1").status == 503);
  fixture.view->advance(1);
  CHECK(fixture.ask("GET", "/ready").status == 200);
}

TEST_CASE_FIXTURE(api_fixture, "an actor is killed only where chaos is allowed") {
  const std::string body = R"({"node":"node-9","actor":"host"})";
  CHECK(ask("POST", "/api/v1/chaos/kill", body).status == 200);
  REQUIRE(kills.size() == 1);
  CHECK(kills[0].node == node_id{uuid_of(9)});
  CHECK(kills[0].path == "host");
  CHECK(ask("POST", "/api/v1/chaos/kill", R"({"node":"node-9","actor":"nobody"})").status == 404);
  CHECK(ask("POST", "/api/v1/chaos/kill", R"({"node":"node-1","actor":"host"})").status == 404);
  served = make(false);
  auto refused = ask("POST", "/api/v1/chaos/kill", body);
  CHECK(refused.status == 404);
  CHECK(refused.body->find("set chaos = true") != std::string::npos);
  CHECK(kills.size() == 2);
}

TEST_CASE_FIXTURE(api_fixture, "requests, VMs and what became of operations are counted") {
  view->observe([this](const any_record& record) { served->metrics().changed(record); });
  ask("POST", "/api/v1/vms", good_create);
  ask("GET", "/api/v1/nothing");
  log->finish({uuid_of(5)}, operation_state::succeeded);
  auto wish = request("GET", "/metrics");
  wish.door = listener::operators;
  wish.authorization = "";
  auto text = *ask(wish).body;
  auto has = [&](const std::string& line) { return text.find(line) != text.npos; };
  CHECK(has("novacron_api_requests_total{method=\"POST\",path=\"/api/v1/vms\",status=\"201\"} 1"));
  CHECK(has("novacron_api_requests_total{method=\"other\",path=\"other\",status=\"404\"} 1"));
  CHECK(has("novacron_vms_total{state=\"defined\"} 1"));
  CHECK(has("novacron_vm_operations_total{state=\"succeeded\",verb=\"start\"} 1"));
  CHECK(has("novacron_api_request_duration_seconds_bucket"));
}

TEST_CASE_FIXTURE(api_fixture, "who says that a host is off must mean it") {
  const std::string path = "/api/v1/hosts/node-9/fenced";
  const std::string word = R"({"confirm":"off"})";
  CHECK(ask("POST", path).status == 400);
  CHECK(ask("POST", path, "{}").status == 400);
  CHECK(ask("POST", path, R"({"confirm":"maybe"})").status == 400);
  CHECK(ask("POST", path, R"({"confirm":"off","force":true})").status == 400);
  CHECK(ask("POST", "/api/v1/hosts/node-1/fenced", word).status == 404);
  CHECK(log->size() == 0);
  auto answer = ask("POST", path, word);
  CHECK(answer.status == 200);
  CHECK(json::parse(*answer.body).at("name") == "node-9");
  CHECK(json::parse(*answer.body).at("state") == "fenced");
  REQUIRE(log->size() == 1);
  CHECK(std::get<fence_host>(log->commands[0].body).host == node_id{uuid_of(9)});
  log->refuse_with = command_errc::wrong_state;
  auto refused = ask("POST", path, word);
  CHECK(refused.status == 409);
  CHECK(refused.body->find("the log refuses") != std::string::npos);
}
