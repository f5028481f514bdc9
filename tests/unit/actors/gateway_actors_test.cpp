#include "actors/gateway/api.hpp"
#include "gateway_fake_log.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

const node_id own{{0, 1}};
const node_id host{uuid_of(9)}; // "node-9", which the fake log's view knows
const node_id hidden{{0, 3}};   // which only another node's links tell of
const node_id voter{{0, 4}};

/// The API before nodes whose trees the test says.
struct tree_fixture {
  std::shared_ptr<view_table> view = std::make_shared<view_table>();
  std::shared_ptr<small_log> log = std::make_shared<small_log>(view);
  std::map<node_id, actor_tree> trees;
  std::map<node_id, std::errc> refusals; ///< of nodes without a tree: else unreachable
  std::optional<group_status> status;
  std::vector<actor_tree_request> asked;
  std::function<void(result<actor_tree>)> held; ///< of the node that doesn't answer yet
  std::optional<node_id> slow;
  std::vector<api_answer> answers;
  bool looks = true;

  tree_fixture() {
    trees[own].name = "node-1";
    auto& services = trees[own].actors.emplace_back();
    services.path = "services";
    services.supervisor = true;
    services.restarts = 2;
    services.up = 1'500ms;
    services.mailbox = 7;
    services.last_failure = "it was killed";
    trees[host].name = "node-9";
    auto& other = trees[host].actors.emplace_back();
    other.path = "host";
    other.state = actor_state::restarting;
    trees[host].more.push_back({"guests", "vm", 4'312, 4'310, 5, 12});
  }

  void send(const std::string& target) {
    api::backend way;
    way.self = own;
    if (looks)
      way.look = [this](const actor_tree_request& what, const auto& done) {
        asked.push_back(what);
        auto found = trees.find(what.node);
        if (slow == what.node)
          held = done;
        else if (found != trees.end())
          done(found->second);
        else
          done(failure{std::make_error_code(refusals.contains(what.node)
                                                ? refusals.at(what.node)
                                                : std::errc::host_unreachable),
                       "no answer"});
      };
    if (status)
      way.status = [this](group_status_request, const auto& done) { done(status); };
    auto served = std::make_shared<const api>(
        gateway_limits{}, token_table::make({{"ann", sha256_hex("secret")}}).value(), view, way,
        std::make_shared<api_metrics>(nullptr));
    api_request request;
    request.method = "GET";
    request.target = target;
    request.authorization = "Bearer secret";
    served->handle(request, [this](api_answer answer) { answers.push_back(std::move(answer)); });
  }

  api_answer ask(const std::string& target) {
    answers.clear();
    asked.clear();
    send(target);
    REQUIRE(answers.size() == 1);
    return answers.front();
  }

  /// The nodes of an answer, by name.
  static std::map<std::string, json::object> nodes_of(const api_answer& answer) {
    REQUIRE(answer.status == 200);
    std::map<std::string, json::object> out;
    const auto body = json::parse(*answer.body);
    for (const auto& each : body.at("nodes").as_array())
      out.emplace(each.at("name").as_string(), each.as_object());
    return out;
  }

  std::string field_at_fault(const std::string& target) {
    auto answer = ask(target);
    REQUIRE(answer.status == 400);
    const auto body = json::parse(*answer.body);
    return body.at("field").as_string().c_str();
  }
};

const std::string all_actors = "/api/v1/cluster/actors";

} // namespace

TEST_CASE_FIXTURE(tree_fixture, "every node's actors are shown, with all that is known of them") {
  auto nodes = nodes_of(ask(all_actors));
  REQUIRE(nodes.size() == 2);
  const auto& first = nodes.at("node-1").at("actors").at(0);
  CHECK(first.at("path").as_string() == "node-1/services");
  CHECK(first.at("supervisor").as_bool());
  CHECK(first.at("state").as_string() == "running");
  CHECK(first.at("restarts").as_int64() == 2);
  CHECK(first.at("mailbox").as_int64() == 7);
  CHECK(first.at("up_seconds").as_double() == 1.5);
  CHECK(first.at("last_failure").as_string() == "it was killed");
  const auto& second = nodes.at("node-9");
  CHECK(second.at("reachable").as_bool());
  CHECK(second.at("actors").at(0).at("state").as_string() == "restarting");
  CHECK(second.at("actors").at(0).at("mailbox").is_null());
  CHECK(second.at("actors").at(0).at("last_failure").is_null());
  const auto& group = second.at("more").at(0);
  CHECK(group.at("path").as_string() == "node-9/guests");
  CHECK(group.at("kind").as_string() == "vm");
  CHECK(group.at("count").as_int64() == 4'312);
  CHECK(group.at("running").as_int64() == 4'310);
  CHECK(group.at("mailbox").as_int64() == 12);
}

TEST_CASE_FIXTURE(tree_fixture, "nodes are found by the view, by the group, and by others' links") {
  trees[voter].name = "node-4";
  trees[voter].links = {{hidden, "node-3", false}, {own, "node-1", true}};
  status.emplace();
  status->members.resize(2);
  status->members[0].node = own;
  status->members[1].node = voter;
  auto nodes = nodes_of(ask(all_actors));
  CHECK(nodes.size() == 4);
  CHECK(nodes.at("node-3").at("reachable").as_bool() == false);
  CHECK(nodes.at("node-3").at("error").as_string() == "no answer");
  CHECK(nodes.at("node-4").at("reachable").as_bool());
  CHECK(asked.size() == 4); // each once
}

TEST_CASE_FIXTURE(tree_fixture, "the answer waits for the last node that was asked") {
  slow = host;
  send(all_actors);
  CHECK(answers.empty());
  held(failure{std::make_error_code(std::errc::host_unreachable), "it is silent"});
  REQUIRE(answers.size() == 1);
  CHECK(nodes_of(answers.front()).at("node-9").at("error").as_string() == "it is silent");
}

TEST_CASE_FIXTURE(tree_fixture, "a node that nobody can name is shown by its id") {
  status.emplace();
  status->members.resize(1);
  status->members[0].node = voter;
  CHECK(nodes_of(ask(all_actors)).contains(to_string(voter)));
}

TEST_CASE_FIXTURE(tree_fixture, "a silent node keeps the name that somebody knows") {
  trees.erase(host);
  trees[own].links = {{host, "", false}};
  CHECK(nodes_of(ask(all_actors)).contains("node-9"));
}

TEST_CASE_FIXTURE(tree_fixture, "one node is asked for what the parameters say, and no other") {
  trees[host].links = {{hidden, "node-3", false}};
  trees[host].next = 17;
  auto nodes = nodes_of(ask(all_actors + "?node=node-9&path=guests&cursor=5&limit=100"));
  CHECK(nodes.size() == 1);
  CHECK(nodes.at("node-9").at("next_cursor").as_string() == "17");
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == actor_tree_request{host, "guests", 5, 100});
  ask(all_actors + "?node=" + to_string(own));
  REQUIRE(asked.size() == 1);
  CHECK(asked[0] == actor_tree_request{own, "", 0, 50});
}

TEST_CASE_FIXTURE(tree_fixture, "a path that leads to no supervisor is 404, a silent node is not") {
  trees.erase(host);
  CHECK(ask(all_actors + "?node=node-9&path=nothing").status == 200);
  refusals[host] = std::errc::invalid_argument;
  CHECK(ask(all_actors + "?node=node-9&path=nothing").status == 404);
  CHECK(ask(all_actors + "?node=node-7").status == 404);
  looks = false;
  CHECK(ask(all_actors).status == 404);
}

TEST_CASE_FIXTURE(tree_fixture, "bad parameters name themselves") {
  CHECK(field_at_fault(all_actors + "?limit=0") == "?limit");
  CHECK(field_at_fault(all_actors + "?limit=151") == "?limit");
  CHECK(field_at_fault(all_actors + "?path=guests") == "?path");
  CHECK(field_at_fault(all_actors + "?node=node-9&path=" + std::string(257, 'x')) == "?path");
  CHECK(field_at_fault(all_actors + "?cursor=5") == "?cursor");
  CHECK(field_at_fault(all_actors + "?node=node-9&cursor=x") == "?cursor");
  CHECK(field_at_fault(all_actors + "?name=x") == "?name");
}

TEST_CASE_FIXTURE(tree_fixture,
                  "a node that is no host is known by its name, until it is removed") {
  node_record record;
  record.id = voter;
  record.name = "controller-4";
  record.revision = 2;
  view->changed(record);
  view->advance(2);
  trees[voter].name = "controller-4";
  CHECK(nodes_of(ask(all_actors)).contains("controller-4"));
  CHECK(nodes_of(ask(all_actors + "?node=controller-4")).size() == 1);
  CHECK(asked.at(0).node == voter);
  record.wish = member_wish::removed;
  record.revision = 3;
  view->changed(record);
  view->advance(3);
  CHECK(!nodes_of(ask(all_actors)).contains("controller-4"));
  CHECK(ask(all_actors + "?node=controller-4").status == 404);
}

TEST_CASE_FIXTURE(tree_fixture, "a node that several know of is left out once") {
  for (uint64_t i = 0; i < 200; ++i)
    trees[own].links.push_back({{{7, i}}, "far-" + std::to_string(i), false});
  trees[host].links = trees[own].links;
  auto answer = ask(all_actors);
  CHECK(json::parse(*answer.body).at("left_out").as_int64() == 74);
}

TEST_CASE_FIXTURE(tree_fixture, "more nodes than may be asked are counted") {
  for (uint64_t i = 0; i < 200; ++i)
    trees[own].links.push_back({{{7, i}}, "far-" + std::to_string(i), false});
  auto answer = ask(all_actors);
  CHECK(nodes_of(answer).size() == 128);
  CHECK(json::parse(*answer.body).at("left_out").as_int64() == 74);
}
