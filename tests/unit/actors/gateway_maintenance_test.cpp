#include "actors/gateway/api.hpp"
#include "placement_records.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

/// The API over a view of three hosts and two VMs; commands are kept, and
/// answered as the test says.
struct maintained_api {
  maintained_api() {
    auto ssd = placing_host(1);
    ssd.labels = {{"disk", "ssd"}};
    std::set<std::pair<record_type, uuid>> named;
    for (const any_record& each : std::vector<any_record>{
             ssd, placing_host(2), placing_host(3, 1'024), placed_vm(1, 1), placed_vm(2, 2)}) {
      view->listed(each);
      named.emplace(type_of(each), id_of(each));
    }
    view->keep_only(named);
    view->advance(10);
    api::backend way;
    way.propose = [this](const proposal& wish, const auto& done) {
      asked.push_back(wish.commands.at(0).body);
      auto outcome = applied;
      outcome.revision = 11;
      if (shown) {
        view->changed(*shown);
        view->advance(11);
      }
      done(outcomes{{outcome}});
    };
    way.ids = [this] { return uuid{9, ++ids}; };
    served = std::make_shared<const api>(gateway_limits{},
                                         token_table::make({{"ann", sha256_hex("secret")}}).value(),
                                         view, way, std::make_shared<api_metrics>(nullptr));
  }

  api_answer ask(const std::string& method, const std::string& target,
                 const std::string& body = {}) {
    api_request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.authorization = "Bearer secret";
    std::optional<api_answer> got;
    served->handle(request, [&](api_answer x) { got = std::move(x); });
    REQUIRE(got.has_value());
    return *got;
  }

  static json::object body_of(const api_answer& x) { return json::parse(*x.body).as_object(); }
  static std::string text(const json::object& x, const char* key) {
    return x.at(key).is_null() ? "" : x.at(key).as_string().c_str();
  }

  std::shared_ptr<view_table> view = std::make_shared<view_table>();
  std::shared_ptr<const api> served;
  std::vector<command_body> asked;
  command_outcome applied;
  std::optional<any_record> shown; ///< by the view, once the command is applied
  uint64_t ids = 0;
};

const std::string small_vm = R"({"vcpus":1,"memory_mib":2048,"image":"tick"})";

task_record drain_of_node_1() {
  task_record task;
  task.id = {{4, 4}};
  task.host = placed_host_id(1);
  task.moves = {{placed_vm_id(1), move_state::moving, placed_host_id(2), {{3, 3}}, 1, false, ""},
                {placed_vm_id(8), move_state::failed, {}, {}, 5, true, "rolled back: why not"}};
  task.revision = 11;
  return task;
}

} // namespace

TEST_CASE_FIXTURE(maintained_api, "a plan says for each host why it may have the VM or may not") {
  auto answer = ask("POST", "/api/v1/vms:plan", small_vm);
  REQUIRE(answer.status == 200);
  CHECK(asked.empty());
  auto plan = body_of(answer);
  CHECK(text(plan, "host") == "node-1");
  CHECK(plan.at("revision").as_int64() == 10);
  const auto& hosts = plan.at("hosts").as_array();
  REQUIRE(hosts.size() == 3);
  CHECK(hosts[0].as_object().at("chosen").as_bool());
  CHECK(hosts[0].as_object().at("scores").as_array().size() == 5);
  const auto& small = hosts[2].as_object();
  CHECK(text(small, "host") == "node-3");
  CHECK(!small.at("fits").as_bool());
  std::string refused;
  for (const auto& filter : small.at("filters").as_array())
    if (!filter.as_object().at("passed").as_bool())
      refused = text(filter.as_object(), "reason");
  CHECK(refused == "needs 2048 MiB, 1024 free of 1024 at overcommit 1.0");
}

TEST_CASE_FIXTURE(maintained_api, "a plan that fails says what is missing, and is an answer") {
  auto answer = ask("POST", "/api/v1/vms:plan",
                    R"({"vcpus":1,"memory_mib":64,"image":"tick",
                        "placement":{"labels":{"required":{"disk":"tape"}}}})");
  REQUIRE(answer.status == 200);
  auto plan = body_of(answer);
  CHECK(plan.at("host").is_null());
  CHECK(text(plan, "reason").find("its label disk is \"ssd\", \"tape\" is required")
        != std::string::npos);
  CHECK(ask("POST", "/api/v1/vms:plan", "{}").status == 400);
}

TEST_CASE_FIXTURE(maintained_api, "a VM that exists is planned from where it is") {
  auto answer = ask("GET", "/api/v1/vms/" + to_string(placed_vm_id(1)) + "/plan");
  REQUIRE(answer.status == 200);
  auto plan = body_of(answer);
  CHECK(text(plan, "host") == "node-2");
  for (const auto& host : plan.at("hosts").as_array())
    CHECK(host.as_object().at("here").as_bool() == (text(host.as_object(), "host") == "node-1"));
  CHECK(ask("GET", "/api/v1/vms/" + to_string(placed_vm_id(77)) + "/plan").status == 404);
}

TEST_CASE_FIXTURE(maintained_api, "a host is cordoned by name, and shown as it is then") {
  auto cordoned = placing_host(2);
  cordoned.state = cordoned.maintenance = host_state::cordoned;
  cordoned.revision = 11;
  shown = cordoned;
  auto answer = ask("POST", "/api/v1/hosts/node-2/cordon");
  REQUIRE(answer.status == 200);
  CHECK(text(body_of(answer), "state") == "cordoned");
  REQUIRE(asked.size() == 1);
  CHECK(std::get<maintain_host>(asked[0]).host == placed_host_id(2));
  CHECK(std::get<maintain_host>(asked[0]).wish == maintenance_wish::cordon);
  CHECK(ask("POST", "/api/v1/hosts/" + to_string(placed_host_id(2)) + "/uncordon").status == 200);
  CHECK(std::get<maintain_host>(asked[1]).wish == maintenance_wish::uncordon);
  CHECK(ask("POST", "/api/v1/hosts/nobody/cordon").status == 404);
  CHECK(ask("POST", "/api/v1/hosts/node-2/cordon", R"({"x":1})").status == 400);
}

TEST_CASE_FIXTURE(maintained_api, "a drain answers with its task, which shows each VM by name") {
  auto task = drain_of_node_1();
  applied.task = task.id;
  shown = task;
  auto begun = ask("POST", "/api/v1/hosts/node-1/drain",
                   R"({"deadline":"10m","then":"stop","parallel":3})");
  REQUIRE(begun.status == 202);
  const auto& wish = std::get<maintain_host>(asked.at(0));
  CHECK(wish.wish == maintenance_wish::drain);
  CHECK(wish.deadline == 10min);
  CHECK(wish.then == deadline_policy::stop);
  CHECK(wish.parallel == 3);
  CHECK(!wish.task.nil());
  auto body = body_of(begun);
  CHECK(text(body, "kind") == "drain");
  CHECK(text(body, "host") == "node-1");
  CHECK(body.at("moving").as_int64() == 1);
  CHECK(body.at("failed").as_int64() == 1);
  const auto& first = body.at("vms").as_array().at(0).as_object();
  CHECK(text(first, "vm") == "vm-1");
  CHECK(text(first, "to") == "node-2");
  CHECK(body.at("vms").as_array().at(1).as_object().at("vm").is_null());
  auto same = ask("GET", "/api/v1/tasks/" + to_string(task.id));
  CHECK(same.status == 200);
  CHECK(*same.body == *begun.body);
  CHECK(body_of(ask("GET", "/api/v1/tasks")).at("items").as_array().size() == 1);
}

TEST_CASE_FIXTURE(maintained_api, "a host's latest drain is found at the host") {
  CHECK(ask("GET", "/api/v1/hosts/node-1/drain").status == 404);
  auto task = drain_of_node_1();
  auto host = placing_host(1);
  host.drain = task.id;
  host.revision = 11;
  view->changed(host);
  view->changed(task);
  view->advance(11);
  auto found = ask("GET", "/api/v1/hosts/node-1/drain");
  REQUIRE(found.status == 200);
  CHECK(text(body_of(found), "id") == to_string(task.id));
}

TEST_CASE_FIXTURE(maintained_api, "an evacuation answers with its task, and is found at the host") {
  auto task = drain_of_node_1();
  task.kind = task_kind::evacuation;
  applied.task = task.id;
  shown = task;
  auto begun = ask("POST", "/api/v1/hosts/node-1/evacuate");
  REQUIRE(begun.status == 202);
  const auto& wish = std::get<maintain_host>(asked.at(0));
  CHECK(wish.wish == maintenance_wish::evacuate);
  CHECK(wish.host == placed_host_id(1));
  CHECK(!wish.task.nil());
  CHECK(text(body_of(begun), "kind") == "evacuation");
  CHECK(text(body_of(begun), "id") == to_string(task.id));
  CHECK(ask("POST", "/api/v1/hosts/node-1/evacuate", R"({"parallel":2})").status == 400);
  CHECK(ask("GET", "/api/v1/hosts/node-1/evacuate").status == 404);
  auto host = placing_host(1);
  host.drain = task.id;
  host.revision = 12;
  view->changed(host);
  view->advance(12);
  auto found = ask("GET", "/api/v1/hosts/node-1/evacuate");
  CHECK(found.status == 200);
  CHECK(*found.body == *begun.body);
}

TEST_CASE_FIXTURE(maintained_api, "why a host isn't evacuated is a conflict, with the remedy") {
  applied.error = command_errc::wrong_state;
  applied.detail = "host node-1 is up, and only one that is off is evacuated: drain it";
  auto refused = ask("POST", "/api/v1/hosts/node-1/evacuate");
  CHECK(refused.status == 409);
  CHECK(text(body_of(refused), "detail") == applied.detail);
  applied.error = command_errc::needs_upgrade;
  CHECK(ask("POST", "/api/v1/hosts/node-1/evacuate").status == 409);
  CHECK(ask("POST", "/api/v1/hosts/nobody/evacuate").status == 404);
}

TEST_CASE_FIXTURE(maintained_api,
                  "the word that a host is off names the evacuation that it begins") {
  auto fenced = placing_host(1);
  fenced.state = host_state::fenced;
  fenced.revision = 11;
  shown = fenced;
  CHECK(ask("POST", "/api/v1/hosts/node-1/fenced", R"({"confirm":"off"})").status == 200);
  CHECK(std::get<fence_host>(asked.at(0)).host == placed_host_id(1));
  CHECK(!std::get<fence_host>(asked.at(0)).task.nil());
}

TEST_CASE_FIXTURE(maintained_api, "a task is cancelled by its id") {
  auto task = drain_of_node_1();
  task.state = task_state::cancelled;
  applied.task = task.id;
  shown = task;
  auto done = ask("POST", "/api/v1/tasks/" + to_string(task.id) + "/cancel");
  REQUIRE(done.status == 200);
  CHECK(text(body_of(done), "state") == "cancelled");
  CHECK(std::get<cancel_task>(asked.at(0)).task == task.id);
  CHECK(ask("POST", "/api/v1/tasks/x/cancel").status == 404);
}

TEST_CASE_FIXTURE(maintained_api, "a migration is cancelled by its id, and says by whom") {
  migration_record migration;
  migration.id = {{7, 7}};
  migration.epoch = {1, 3};
  migration.phase = migration_phase::queued;
  migration.revision = 11;
  view->changed(migration);
  view->advance(11);
  migration.phase = migration_phase::rolled_back;
  migration.revision = 12;
  shown = migration;
  auto done = ask("POST", "/api/v1/migrations/" + to_string(migration.id) + "/cancel");
  REQUIRE(done.status == 200);
  CHECK(text(body_of(done), "phase") == "rolled_back");
  const auto& wish = std::get<decide_migration>(asked.at(0));
  CHECK(wish.migration == migration.id);
  CHECK(wish.epoch == migration.epoch);
  CHECK(wish.decision == migration_decision::abort);
  CHECK(wish.reason == "cancelled by ann");
  CHECK(ask("POST", "/api/v1/migrations/" + to_string(migration_id{{7, 8}}) + "/cancel").status
        == 404);
  CHECK(ask("POST", "/api/v1/migrations/x/cancel").status == 404);
  CHECK(asked.size() == 1);
}

TEST_CASE_FIXTURE(maintained_api, "a rebalance is planned without a command, and made with one") {
  view->changed(placed_vm(3, 1, 3'000));
  view->changed(placed_vm(4, 1, 3'000));
  view->advance(11);
  auto planned = ask("POST", "/api/v1/cluster/rebalance", R"({"plan":true})");
  REQUIRE(planned.status == 200);
  CHECK(asked.empty());
  auto plan = body_of(planned);
  REQUIRE(plan.at("moves").as_array().size() == 1);
  CHECK(text(plan.at("moves").as_array().at(0).as_object(), "to") == "node-2");
  CHECK(plan.at("hosts").as_array().size() == 3);

  task_record task;
  task.id = applied.task = {{4, 4}};
  task.kind = task_kind::rebalance;
  task.revision = 11;
  shown = task;
  CHECK(ask("POST", "/api/v1/cluster/rebalance").status == 202);
  const auto& wish = std::get<start_rebalance>(asked.at(0));
  REQUIRE(wish.moves.size() == 1);
  CHECK(wish.moves[0].to == placed_host_id(2));
}

TEST_CASE_FIXTURE(maintained_api, "where there is nothing to rebalance no task is made") {
  auto answer = ask("POST", "/api/v1/cluster/rebalance");
  CHECK(answer.status == 200);
  CHECK(body_of(answer).at("moves").as_array().empty());
  CHECK(asked.empty());
}
