#include "cli_fixture.hpp"
#include "runtime/cli/render_placement.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
namespace json = boost::json;

namespace {

const std::string task_id = "00000000-0000-0000-0000-000000000004";

std::string task_json(const std::string& state, const std::string& reason) {
  return R"({"id":")" + task_id + R"(","kind":"drain","state":")" + state
         + R"(","host":"node-1","deadline":null,"then":"leave","waiting":0,"moving":1,)"
           R"("finished":2,"failed":0,"vms":[{"vm":"web-1","vm_id":"7","state":"failed","to":null,)"
           R"("attempts":5,"reason":")"
         + reason
         + R"("},{"vm":null,"vm_id":"8","state":"finished","to":"node-2","attempts":0,)"
           R"("reason":null}]})";
}

const std::string plan_json
    = R"({"host":"node-2","reason":null,"hosts":[)"
      R"({"host":"node-2","fits":true,"chosen":true,"here":false,"filters":[)"
      R"({"filter":"state","passed":true,"reason":null}],"scores":[)"
      R"({"weigher":"free memory","score":750,"weight":2}],"total":1500},)"
      R"({"host":"node-1","fits":false,"chosen":false,"here":true,"filters":[)"
      R"({"filter":"state","passed":false,"reason":"is cordoned"},)"
      R"({"filter":"memory","passed":false,"reason":"needs 8 MiB, 1 free of 4"}],)"
      R"("scores":[],"total":0}]})";

} // namespace

TEST_CASE("a plan is a line per host: where, how good, and what is missing") {
  CHECK(render_plan(json::parse(plan_json))
        == "it would go to node-2\n"
           "HOST    PLACE    TOTAL  FILTERS"
           "                                               SCORES\n"
           "node-2  chosen   1500   fits"
           "                                                  free memory 750 x2\n"
           "node-1  is here  -      state: is cordoned; memory: needs 8 MiB, 1 free of 4  -\n");
  CHECK(render_plan(json::parse(R"({"host":null,"reason":"no host can take it","hosts":[]})"))
            .starts_with("no host can take it\n"));
}

TEST_CASE("a task is shown with a line per VM, and in one line while it is waited for") {
  auto task = json::parse(task_json("failed", "rolled back: why not"));
  const auto text = render_task(task);
  CHECK(text.find("state:     failed\n") != std::string::npos);
  CHECK(text.find("web-1  failed    -       5         rolled back: why not\n")
        != std::string::npos);
  CHECK(text.find("\n8      finished  node-2  0         -\n") != std::string::npos);
  CHECK(render_task_progress(task) == "drain of node-1: 2 finished, 1 moving, 0 waiting, 0 failed");
  CHECK(render_tasks({task, 3}).find(task_id) != std::string::npos);
}

TEST_CASE("a rebalance's plan says what moves, and how loaded hosts are then") {
  CHECK(render_rebalance(json::parse(
            R"({"spread_percent":40.5,"moves":[{"vm":"web-1","from":"node-1","to":"node-2",)"
            R"("spread_percent":10.0}],"hosts":[{"host":"node-1","load_percent":50,)"
            R"("load_after_percent":30}]})"))
        == "hosts' loads differ by 40.5 percent of memory\n"
           "VM     FROM    TO      DIFFER BY THEN\n"
           "web-1  node-1  node-2  10.0\n"
           "HOST    LOAD %  LOAD % THEN\n"
           "node-1  50.0    30.0\n");
  CHECK(render_rebalance(json::parse(R"({"spread_percent":1,"moves":[],"hosts":[]})"))
            .find("nothing is to be moved")
        != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture, "a VM is planned by what it is to be, or by its name") {
  canned["POST /api/v1/vms:plan"] = {{200, plan_json}};
  CHECK(run({"vm", "plan", "--image", "tick", "--memory", "512", "--host-label", "disk=ssd",
             "--group", "web", "--apart-from", "web", "--prefer-with", "db"})
        == 0);
  CHECK(sent_body(
      R"({"vcpus":1,"memory_mib":512,"image":"tick","kernel_arguments":"","restart":"never",)"
      R"("labels":{},"placement":{"groups":["web"],"labels":{"required":{"disk":"ssd"}},)"
      R"("affinity":{"preferred":["db"]},"anti_affinity":{"required":["web"]}}})"));
  CHECK(out.str().starts_with("it would go to node-2\n"));
  canned["GET /api/v1/vms/" + task_id + "/plan"] = {{200, plan_json}};
  CHECK(run({"vm", "plan", task_id, "-o", "json"}) == 0);
  CHECK(json::parse(out.str()) == json::parse(plan_json));
  CHECK(run({"vm", "plan"}) == 2);
  CHECK(err.str().ends_with("name a VM, or give --image and what else it is to be\n"));
}

TEST_CASE_FIXTURE(cli_fixture, "hosts are cordoned and uncordoned by name") {
  canned["POST /api/v1/hosts/node-1/cordon"] = {{200, R"({"name":"node-1","state":"cordoned"})"}};
  canned["POST /api/v1/hosts/node-1/uncordon"] = {{200, R"({"name":"node-1","state":"up"})"}};
  CHECK(run({"host", "cordon", "node-1"}) == 0);
  CHECK(out.str().find("state:  cordoned\n") != std::string::npos);
  CHECK(run({"host", "uncordon", "node-1"}) == 0);
  CHECK(run({"host", "cordon"}) == 2);
}

TEST_CASE_FIXTURE(cli_fixture, "a drain is waited for until it has ended, and shown then") {
  const auto path = "/api/v1/hosts/node-1/drain";
  canned[std::string{"POST "} + path] = {{202, task_json("running", "")}};
  canned["GET /api/v1/tasks/" + task_id]
      = {{200, task_json("running", "")}, {200, task_json("finished", "")}};
  CHECK(run({"host", "drain", "node-1", "--wait", "--deadline", "10m", "--then", "stop"}) == 0);
  CHECK(out.str().find("state:     finished\n") != std::string::npos);
  CHECK(err.str().find("drain of node-1: 2 finished") != std::string::npos);
  canned["GET /api/v1/tasks/" + task_id] = {{200, task_json("failed", "rolled back: why not")}};
  CHECK(run({"host", "drain", "node-1", "--wait"}) == 1);
  CHECK(out.str().find("rolled back: why not") != std::string::npos);
  CHECK(err.str().find("the drain has failed\n") != std::string::npos);
  CHECK(run({"host", "drain", "node-1", "--then", "burn"}) == 2);
}

TEST_CASE_FIXTURE(cli_fixture, "a drain sends its terms, and is only looked at with --show") {
  const std::string path = "/api/v1/hosts/node-1/drain";
  canned["POST " + path] = {{202, task_json("running", "")}};
  canned["GET " + path] = {{200, task_json("running", "")}};
  CHECK(run({"host", "drain", "node-1", "--deadline", "90s", "--then", "leave", "--parallel", "4"})
        == 0);
  CHECK(sent_body(R"({"parallel":4,"deadline":"90s","then":"leave"})"));
  CHECK(run({"host", "drain", "node-1", "--show"}) == 0);
  CHECK(server.requests().back().starts_with("GET "));
}

TEST_CASE_FIXTURE(cli_fixture, "an evacuation is begun, looked at, and waited for") {
  const std::string path = "/api/v1/hosts/node-1/evacuate";
  auto evacuation = [](const std::string& state) {
    auto task = task_json(state, "node-2 is full");
    return task.replace(task.find("drain"), 5, "evacuation");
  };
  canned["POST " + path] = {{202, evacuation("running")}};
  canned["GET " + path] = {{200, evacuation("running")}};
  CHECK(run({"host", "evacuate", "node-1"}) == 0);
  CHECK(server.requests().back().starts_with("POST "));
  CHECK(out.str().find("kind:      evacuation\n") != std::string::npos);
  CHECK(out.str().find("node-2 is full") != std::string::npos);
  CHECK(run({"host", "evacuate", "node-1", "--show"}) == 0);
  CHECK(server.requests().back().starts_with("GET "));
  canned["GET /api/v1/tasks/" + task_id] = {{200, evacuation("failed")}};
  CHECK(run({"host", "evacuate", "node-1", "--wait"}) == 1);
  CHECK(err.str().find("the evacuation has failed\n") != std::string::npos);
  canned["POST " + path]
      = {{409, R"({"title":"Not in this state","detail":"host node-1 is up: drain it"})"}};
  CHECK(run({"host", "evacuate", "node-1"}) == 1);
  CHECK(err.str().find("host node-1 is up: drain it") != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture, "tasks are listed, shown and cancelled") {
  canned["GET /api/v1/tasks?limit=1000"]
      = {{200, R"({"items":[)" + task_json("running", "") + "]}"}};
  CHECK(run({"task", "ls"}) == 0);
  CHECK(out.str().find(task_id + "  drain  node-1  running  0") != std::string::npos);
  canned["POST /api/v1/tasks/" + task_id + "/cancel"] = {{200, task_json("cancelled", "")}};
  CHECK(run({"task", "cancel", task_id}) == 0);
  CHECK(out.str().find("cancelled") != std::string::npos);
  CHECK(run({"task", "show", "x"}) == 1);
}

TEST_CASE_FIXTURE(cli_fixture, "a rebalance is planned, made, or found needless") {
  canned["POST /api/v1/cluster/rebalance"]
      = {{200, R"({"spread_percent":5,"moves":[],"hosts":[]})"}, {202, task_json("running", "")}};
  CHECK(run({"cluster", "rebalance", "--plan", "--moves", "8"}) == 0);
  CHECK(sent_body(R"({"plan":true,"moves":8,"spread_percent":20})"));
  CHECK(out.str().find("nothing is to be moved") != std::string::npos);
  CHECK(run({"cluster", "rebalance"}) == 0);
  CHECK(out.str().find("task:") != std::string::npos);
}
