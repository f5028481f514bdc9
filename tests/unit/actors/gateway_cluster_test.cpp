#include "actors/gateway/api.hpp"
#include "gateway_fake_log.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
namespace json = boost::json;

namespace {

const node_id first{uuid_of(9)}; // which the fake log's view knows
const node_id second{{0, 2}};
const node_id third{{0, 3}};

/// The API before a group whose state the test says.
struct group_fixture {
  std::shared_ptr<view_table> view = std::make_shared<view_table>();
  std::shared_ptr<small_log> log = std::make_shared<small_log>(view);
  std::optional<group_status> status = led_by(second);
  std::vector<group_status_request> asked;
  std::vector<api_answer> answers;
  std::shared_ptr<const api> served = make();

  static group_status led_by(node_id leader) {
    group_status out;
    out.node = second;
    out.leads = leader;
    out.term = 4;
    out.commit_index = 20;
    out.applied_index = 1;
    out.members = {{first, true, true, 18}, {second, true, true, 20}, {third, true, false, 30}};
    out.members[0].knows = 4;
    out.members[0].compared_index = 16;
    out.cluster_version = 3;
    return out;
  }

  std::shared_ptr<const api> make() {
    api::backend way;
    way.status = [this](group_status_request what, const auto& done) {
      asked.push_back(what);
      done(status);
    };
    return std::make_shared<const api>(gateway_limits{},
                                       token_table::make({{"ann", sha256_hex("secret")}}).value(),
                                       view, way, std::make_shared<api_metrics>(nullptr));
  }

  void send(const std::string& target) {
    api_request request;
    request.method = "GET";
    request.target = target;
    request.authorization = "Bearer secret";
    served->handle(request, [this](api_answer answer) { answers.push_back(std::move(answer)); });
  }
  api_answer ask(const std::string& target) {
    answers.clear();
    send(target);
    REQUIRE(answers.size() == 1);
    return answers.front();
  }
  json::object cluster() {
    auto answer = ask("/api/v1/cluster");
    REQUIRE(answer.status == 200);
    return json::parse(*answer.body).as_object();
  }
};

} // namespace

TEST_CASE_FIXTURE(group_fixture, "the cluster is shown as its leader sees it") {
  const auto shown = cluster();
  CHECK(shown.at("leader").as_string() == to_string(second));
  CHECK(shown.at("term").as_int64() == 4);
  CHECK(shown.at("survives").as_string() == "any minority of voters");
  const auto& members = shown.at("members").as_array();
  REQUIRE(members.size() == 3);
  CHECK(members[0].at("name").is_string());
  CHECK(members[0].at("lag").as_int64() == 2);
  CHECK(members[0].at("leader").as_bool() == false);
  CHECK(members[1].at("leader").as_bool() == true);
  CHECK(members[2].at("online").as_bool() == false);
  CHECK(members[2].at("lag").as_int64() == 0); // it can't be less
  CHECK(shown.at("cluster_version").as_int64() == 3);
  CHECK(members[0].at("knows_version").as_int64() == 4);
  CHECK(members[0].at("compared_index").as_int64() == 16);
  CHECK(members[2].at("knows_version").is_null());
}

TEST_CASE_FIXTURE(group_fixture, "who doesn't lead says nothing of other members") {
  status = led_by({});
  const auto shown = cluster();
  CHECK(shown.at("leader").is_null());
  CHECK(shown.at("members").as_array()[0].at("online").is_null());
  CHECK(shown.at("members").as_array()[0].at("lag").is_null());
}

TEST_CASE_FIXTURE(group_fixture, "with one voter a write survives what its disk survives") {
  status->members.resize(1);
  CHECK(cluster().at("survives").as_string() == "its disk");
}

TEST_CASE_FIXTURE(group_fixture, "a gateway that knows no leader is not ready") {
  CHECK(ask("/ready").status == 200);
  status = led_by({});
  CHECK(ask("/ready").status == 503);
  status.reset();
  CHECK(ask("/ready").status == 503);
  CHECK(ask("/api/v1/cluster").status == 503);
}

TEST_CASE_FIXTURE(group_fixture, "a linearizable read waits for what the leader has applied") {
  status->applied_index = 2;
  send("/api/v1/vms?consistency=linearizable");
  CHECK(answers.empty());
  REQUIRE(asked.size() == 1);
  CHECK(asked.front().linearizable);
  view->advance(2);
  REQUIRE(answers.size() == 1);
  CHECK(answers.front().status == 200);
}

TEST_CASE_FIXTURE(group_fixture,
                  "a linearizable read without a leader is refused, a local one not") {
  status.reset();
  CHECK(ask("/api/v1/vms?consistency=linearizable").status == 503);
  CHECK(ask("/api/v1/vms?consistency=local").status == 200);
  CHECK(ask("/api/v1/vms?consistency=strong").status == 400);
}
