#include "actors/gateway/api.hpp"
#include "view_records.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
namespace json = boost::json;

namespace {

constexpr node_id id_of(uint64_t n) {
  return {{0, n}};
}

/// The API before three voters, a controller that doesn't vote, and a host.
struct nodes_fixture {
  std::shared_ptr<view_table> view = std::make_shared<view_table>();
  std::optional<group_status> status = group_status{};
  std::vector<command> proposed;
  command_outcome outcome;
  std::optional<join_desk> desk;

  nodes_fixture() {
    auto& group = *status;
    group.node = group.leads = id_of(1);
    group.commit_index = 20;
    for (uint64_t n = 1; n <= 4; ++n) {
      node_record node;
      node.id = id_of(n);
      node.name = "node-" + std::to_string(n);
      node.roles = {node_role::controller};
      node.revision = n;
      view->listed(node);
      if (n < 4)
        group.members.push_back({id_of(n), true, n != 3, 20 - n});
    }
    group.members.push_back({id_of(4), false, true, 12});
    view->listed(host_of(9, 5));
    std::set<std::pair<record_type, uuid>> named{{record_type::host, uuid_of(9)}};
    for (uint64_t n = 1; n <= 4; ++n)
      named.insert({record_type::node, uuid_of(n)});
    view->keep_only(named);
    view->advance(5);
  }

  api_answer ask(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& token = "Bearer secret") {
    api::backend way;
    way.status = [this](group_status_request, const auto& done) { done(status); };
    way.propose = [this](const proposal& wish, const auto& done) {
      proposed.push_back(wish.commands.front());
      done(outcomes{{outcome}});
    };
    way.joins = desk;
    auto served = std::make_shared<const api>(
        gateway_limits{}, token_table::make({{"ann", sha256_hex("secret")}}).value(), view, way,
        std::make_shared<api_metrics>(nullptr));
    api_request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.authorization = token;
    std::optional<api_answer> given;
    served->handle(request, [&](api_answer answer) { given = std::move(answer); });
    REQUIRE(given.has_value());
    return *given;
  }
  json::value json_of(const api_answer& answer) { return json::parse(*answer.body); }
  std::string detail_of(const api_answer& answer) {
    return std::string{json_of(answer).at("detail").as_string()};
  }
  wish_member wished() { return std::get<wish_member>(proposed.at(0).body); }
};

} // namespace

TEST_CASE_FIXTURE(nodes_fixture, "nodes are listed with what the log and the replicas say") {
  status->changing = "promote node node-4: it is behind";
  auto answer = ask("GET", "/api/v1/nodes");
  REQUIRE(answer.status == 200);
  const auto page = json_of(answer);
  CHECK(page.at("changing").as_string() == "promote node node-4: it is behind");
  const auto& items = page.at("items").as_array();
  REQUIRE(items.size() == 5);
  CHECK(items[0].at("name").as_string() == "node-1");
  CHECK(items[0].at("member").as_string() == "voter");
  CHECK(items[0].at("leader").as_bool());
  CHECK(items[2].at("up").as_bool() == false);
  CHECK(items[3].at("member").as_string() == "standby");
  CHECK(items[3].at("lag").as_int64() == 8);
  CHECK(items[4].at("name").as_string() == "node-9"); // a host that said no more of itself
  CHECK(items[4].at("member").is_null());
  CHECK(items[4].at("up").as_bool());
  status->leads = {};
  CHECK(json_of(ask("GET", "/api/v1/nodes/node-1")).at("up").is_null());
  CHECK(ask("GET", "/api/v1/nodes/nobody").status == 404);
}

TEST_CASE_FIXTURE(nodes_fixture, "a wish that the group can bear goes into the log") {
  status->members[2].online = true;
  auto answer = ask("POST", "/api/v1/nodes/node-4/promote");
  CHECK(answer.status == 202);
  CHECK(wished() == wish_member{id_of(4), member_wish::voter, {}});
  proposed.clear();
  CHECK(ask("POST", "/api/v1/nodes/node-2/demote").status == 202);
  CHECK(wished() == wish_member{id_of(2), member_wish::standby, {}});
  proposed.clear();
  CHECK(ask("POST", "/api/v1/nodes/" + to_string(id_of(3)) + "/remove").status == 202);
  CHECK(wished() == wish_member{id_of(3), member_wish::leaving, {}});
}

TEST_CASE_FIXTURE(nodes_fixture, "one that would cost the majority is refused, with the reason") {
  for (std::string verb : {"remove", "demote"}) {
    auto answer = ask("POST", "/api/v1/nodes/node-2/" + verb);
    CHECK(answer.status == 409);
    CHECK(json_of(answer).at("type").as_string() == "urn:novacron:problem:quorum");
    CHECK(detail_of(answer).find("node-1 (up) and node-3 (down): 1 would answer")
          != std::string::npos);
  }
  CHECK(proposed.empty());
}

TEST_CASE_FIXTURE(nodes_fixture, "a dead voter is replaced by a standby, by name") {
  auto answer = ask("POST", "/api/v1/nodes/node-3/replace", R"({"with":"node-4"})");
  CHECK(answer.status == 202);
  CHECK(wished() == wish_member{id_of(4), member_wish::voter, id_of(3)});
  CHECK(ask("POST", "/api/v1/nodes/node-3/replace", R"({"with":"nobody"})").status == 404);
  CHECK(ask("POST", "/api/v1/nodes/node-3/replace").status == 400);
  status->members[1].online = false; // with two of three gone a fourth doesn't help
  CHECK(ask("POST", "/api/v1/nodes/node-3/replace", R"({"with":"node-4"})").status == 409);
}

TEST_CASE_FIXTURE(nodes_fixture, "without a leader nothing is wished") {
  status->leads = {};
  CHECK(ask("POST", "/api/v1/nodes/node-4/promote").status == 503);
  status.reset();
  CHECK(ask("POST", "/api/v1/nodes/node-4/promote").status == 503);
  CHECK(ask("GET", "/api/v1/nodes").status == 200);
  CHECK(proposed.empty());
}

TEST_CASE_FIXTURE(nodes_fixture, "what the log refuses is the answer") {
  outcome.error = command_errc::node_in_use;
  outcome.detail = "there are guests";
  auto answer = ask("POST", "/api/v1/nodes/node-3/remove");
  CHECK(answer.status == 409);
  CHECK(detail_of(answer) == "there are guests");
}

TEST_CASE_FIXTURE(nodes_fixture, "a node joins with a token that was made for it, and no other") {
  CHECK(ask("POST", "/api/v1/join-tokens", R"({"roles":"host"})").status == 404); // no desk
  int signatures = 0;
  desk = join_desk{};
  desk->authority = "no certificate";
  CHECK(ask("POST", "/api/v1/join-tokens", R"({"roles":"boss"})").status == 400);
  CHECK(ask("POST", "/api/v1/join-tokens", R"({"roles":"host"})").status == 400);

  join_token token{{uuid_of(30)}, {}, {}};
  token.secret[0] = std::byte{7};
  join_token_record record;
  record.id = token.id;
  record.key = public_key_of(token);
  record.roles = {node_role::controller};
  record.revision = 6;
  view->listed(record);
  view->advance(6);
  join_request request{token.id, id_of(5), "node-5", "127.0.0.1:7105", "a key"};
  auto body = [&](const join_request& asked) {
    return R"({"token":")" + to_string(asked.token) + R"(","node":")" + to_string(asked.node)
           + R"(","name":")" + asked.name + R"(","mesh_address":"127.0.0.1:7105",)"
           + R"("public_key":"a key","signature":")" + hex_of(*sign_join(token, request)) + "\"}";
  };
  CHECK(ask("POST", "/api/v1/join", body(request), "").status == 409); // no key here
  desk->sign = [&](const join_request& asked,
                   const std::vector<node_role>& roles) -> result<join_desk::signed_answer> {
    ++signatures;
    CHECK(asked.node == id_of(5));
    CHECK(roles == record.roles);
    return join_desk::signed_answer{{"the certificate", "", "", {}}, {}};
  };
  auto answer = ask("POST", "/api/v1/join", body(request), "");
  REQUIRE(answer.status == 200);
  CHECK(json_of(answer).at("certificate").as_string() == "the certificate");
  CHECK(std::get<use_join_token>(proposed.at(0).body).node.id == id_of(5));
  auto other = request;
  other.name = "mallory";
  CHECK(ask("POST", "/api/v1/join", body(other), "").status == 403);
  other = request;
  other.token = {uuid_of(31)};
  CHECK(ask("POST", "/api/v1/join", body(other), "").status == 403);
  outcome.error = command_errc::bad_token; // used already, says the log
  CHECK(ask("POST", "/api/v1/join", body(request), "").status == 403);
  CHECK(signatures == 1);
}
