#include "cli_fixture.hpp"
#include "messages/uuid.hpp"

#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>

using namespace novacron;

namespace {

const std::string vm_id = "00000000-0000-0000-0000-000000000007";
const std::string vm_json
    = R"({"id":")" + vm_id
      + R"(","name":"web-1","vcpus":2,"memory_mib":256,"requested":"running","actual":"running",)"
        R"("host":"node-2","reason":null})";

const std::string list_by_name = "GET /api/v1/vms?name=web-1&limit=1000";

} // namespace

TEST_CASE_FIXTURE(cli_fixture, "a list is a table, or JSON, over all its pages") {
  canned["GET /api/v1/vms?limit=1000"]
      = {{200, R"({"items":[)" + vm_json + R"(],"next_cursor":"c1","revision":1})"}};
  canned["GET /api/v1/vms?limit=1000&cursor=c1"]
      = {{200, R"({"items":[{"id":"x","name":"web-2","memory_mib":1024}],"revision":1})"}};
  CHECK(run({"vm", "ls"}) == 0);
  CHECK(out.str().starts_with("NAME   ACTUAL   REQUESTED  HOST    VCPUS  MEMORY     ID\n"
                              "web-1  running  running    node-2  2      256.0 MiB  "));
  CHECK(out.str().find("\nweb-2") != std::string::npos);
  CHECK(run({"vm", "ls", "-o", "json"}) == 0);
  CHECK(out.str().starts_with("[{\"id\""));
  CHECK(server.requests().front().find("Authorization: Bearer secret\r\n") != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture, "a name is as good as an id") {
  canned[list_by_name] = {{200, R"({"items":[)" + vm_json + "]}"}};
  canned["GET /api/v1/vms/" + vm_id] = {{200, vm_json}};
  CHECK(run({"vm", "show", "web-1"}) == 0);
  CHECK(out.str().find("actual:      running\n") != std::string::npos);
  CHECK(run({"vm", "show", vm_id}) == 0);
  CHECK(server.requests().size() == 3);
}

TEST_CASE_FIXTURE(cli_fixture, "a name that nothing has ends with 1 and says what to do") {
  canned[list_by_name] = {{200, R"({"items":[]})"}};
  CHECK(run({"vm", "stop", "web-1"}) == 1);
  CHECK(last_line() == "list the VMs with: novacron vm ls");
  CHECK(run({"vm", "stop", "no&such=one"}) == 1);
  CHECK(server.requests().size() == 1); // not even asked
}

TEST_CASE_FIXTURE(cli_fixture, "a create sends what was asked for") {
  canned["POST /api/v1/vms"] = {{201, vm_json}};
  CHECK(run({"vm", "create", "web-1", "--image", "debian", "--memory", "512", "--label", "a=b=c"})
        == 0);
  auto request = server.requests().at(0);
  CHECK(request.ends_with(
      R"({"name":"web-1","vcpus":1,"memory_mib":512,"image":"debian","kernel_arguments":"",)"
      R"("restart":"never","labels":{"a":"b=c"}})"));
  CHECK(request.find("Idempotency-Key: ") != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture, "a refusal ends with 1, its last line says what to do") {
  canned["POST /api/v1/vms"]
      = {{409, R"({"title":"No capacity","detail":"host node-2: 1 MiB free; ask for less"})"}};
  CHECK(run({"vm", "create", "web-1", "--image", "debian"}) == 1);
  CHECK(err.str() == "novacron: No capacity\nhost node-2: 1 MiB free; ask for less\n");
  CHECK(out.str().empty());
}

TEST_CASE_FIXTURE(cli_fixture, "an unknown outcome is asked again with the same key") {
  canned["POST /api/v1/vms"] = {{503, "{}"}, {0, ""}, {201, vm_json}};
  CHECK(run({"vm", "create", "web-1", "--image", "debian"}) == 0);
  auto key = [&](size_t i) {
    auto request = server.requests().at(i);
    return request.substr(request.find("Idempotency-Key: "), 53);
  };
  CHECK(key(0) == key(1));
  CHECK(key(0) == key(2));
}

TEST_CASE_FIXTURE(cli_fixture, "a wait shows how a migration gets on, and its end") {
  const std::string operation = R"({"id":"o1","verb":"migrate","migration":"m1","state":)";
  canned["POST /api/v1/vms/" + vm_id + "/migrate"] = {{202, operation + R"("running"})"}};
  canned["GET /api/v1/operations/o1"]
      = {{200, operation + R"("running"})"}, {200, operation + R"("succeeded"})"}};
  canned["GET /api/v1/migrations/m1"]
      = {{200, R"({"from":"node-2","to":"node-3","phase":"reserved","progress":null})"},
         {200, R"({"from":"node-2","to":"node-3","phase":"reserved","progress":{"phase":"precopy",
                "round":2,"remaining_bytes":1048576,"bytes_per_second":2097152,"ratio":3.5}})"}};
  CHECK(run({"vm", "migrate", vm_id, "--to", "node-3", "--wait"}, true) == 0);
  CHECK(err.str().find("\rnode-2 to node-3: precopy, round 2, 1.0 MiB remaining, 2.0 MiB/s, "
                       "ratio 3.50")
        != std::string::npos);
  CHECK(out.str().find("succeeded") != std::string::npos);
  CHECK(server.requests().at(0).ends_with(R"({"to":"node-3"})"));
}

TEST_CASE_FIXTURE(cli_fixture, "a migration's terms are sent as they were given") {
  canned["POST /api/v1/vms/" + vm_id + "/migrate"] = {{202, R"({"id":"o1","state":"running"})"}};
  CHECK(run({"vm", "migrate", vm_id, "--intent", "downtime", "--max-pause", "50", "--max-time",
             "600", "--priority", "high", "--tries", "3"})
        == 0);
  CHECK(server.requests().at(0).ends_with(
      R"({"intent":"downtime","priority":"high","max_pause_ms":50,"max_seconds":600,"tries":3})"));
}

TEST_CASE_FIXTURE(cli_fixture, "an operation that failed ends with 1 and its reason") {
  canned["POST /api/v1/vms/" + vm_id + "/start"] = {{202, R"({"id":"o1","state":"running"})"}};
  canned["GET /api/v1/operations/o1"]
      = {{200, R"({"id":"o1","verb":"start","vm":"v1","state":"failed","error":"no memory"})"}};
  CHECK(run({"vm", "start", vm_id, "--wait"}) == 1);
  CHECK(err.str() == "novacron: start failed: no memory\nread the VM with: novacron vm show v1\n");
}

TEST_CASE_FIXTURE(cli_fixture, "a migration that was rolled back is no success") {
  canned["GET /api/v1/migrations/m1"]
      = {{200, R"({"id":"m1","phase":"reserved"})"},
         {200, R"({"id":"m1","phase":"rolled_back","reason":"the link broke"})"}};
  CHECK(run({"migration", "watch", "m1"}) == 1);
  CHECK(err.str().find("the link broke") != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture,
                  "a migration that waits is listed with its position, and cancelled") {
  canned["GET /api/v1/migrations?limit=1000"] = {{200, R"({"items":[{"id":"m1","phase":"queued",
      "queue":{"position":3,"expected_start":"2026-02-03T04:05:06.007Z"}}]})"}};
  CHECK(run({"migration", "ls"}) == 0);
  CHECK(out.str().find("queued, at 3") != std::string::npos);
  canned["POST /api/v1/migrations/m1/cancel"] = {{200, R"({"id":"m1","phase":"rolled_back"})"}};
  CHECK(run({"migration", "cancel", "m1"}) == 0);
  CHECK(out.str().find("rolled_back") != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture, "events are a line each") {
  canned["GET /api/v1/events?since=3"]
      = {{200, R"({"items":[{"revision":4,"type":"vm","event":"changed","record":{"name":"web-1",
                "actual":"running"}}]})"}};
  CHECK(run({"events", "--since", "3"}) == 0);
  CHECK(out.str() == "4  vm web-1 changed  actual=running\n");
}

TEST_CASE_FIXTURE(cli_fixture, "actors are read for all nodes, one, or below a supervisor") {
  const std::string empty = R"({"left_out":0,"nodes":[]})";
  canned["GET /api/v1/cluster/actors?limit=20"] = {{200, empty}};
  CHECK(run({"actors"}) == 0);
  CHECK(out.str().starts_with("ACTOR  STATE"));
  CHECK(run({"actors", "-o", "json"}) == 0);
  CHECK(out.str() == empty + "\n");
  canned["GET /api/v1/cluster/actors?limit=5&node=node-2"] = {{200, empty}};
  CHECK(run({"actors", "node-2", "--limit", "5"}) == 0);
  const std::string guests = "GET /api/v1/cluster/actors?limit=150&node=node-2&path=guests";
  auto page = [](const std::string& vm, const std::string& next) {
    return R"({"nodes":[{"name":"node-2","reachable":true,"more":[],"next_cursor":)" + next
           + R"(,"actors":[{"path":"node-2/guests/)" + vm + R"(","state":"running"}]}]})";
  };
  canned[guests] = {{200, page("vm-1", R"("9")")}};
  canned[guests + "&cursor=9"] = {{200, page("vm-2", "null")}};
  CHECK(run({"actors", "node-2/guests"}) == 0);
  CHECK(out.str().find("├─ vm-1") != std::string::npos);
  CHECK(out.str().find("└─ vm-2") != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture, "an actor is killed by the path that the tree shows") {
  canned["POST /api/v1/chaos/kill"] = {{200, R"({"status":"killed"})"},
                                       {404, R"({"title":"Not killed","detail":"nobody there"})"}};
  CHECK(run({"chaos", "kill", "node-1/services/feed"}) == 0);
  CHECK(out.str() == "killed node-1/services/feed\n");
  CHECK(server.requests().at(0).ends_with(R"({"node":"node-1","actor":"services/feed"})"));
  CHECK(run({"chaos", "kill", "node-1/services/fed"}) == 1);
  CHECK(last_line() == "nobody there");
  CHECK(run({"chaos", "kill", "node-1"}) == 2);
  CHECK(last_line().find("novacron actors") != std::string::npos);
  CHECK(server.requests().size() == 2);
}

TEST_CASE_FIXTURE(cli_fixture,
                  "without a gateway, a token or a sensible option nothing is asked: 2") {
  CHECK(run({"vm", "ls", "--url", "http://127.0.0.1:1"}) == 2);
  CHECK(last_line() == "start a node with a gateway, or name another one with --url");
  CHECK(run({"vm", "ls", "--url", "nonsense"}) == 2);
  CHECK(run({"vm", "ls", "--token-file", "/nonexistent"}) == 2);
  CHECK(last_line().find("NOVACRON_TOKEN_FILE") != std::string::npos);
  CHECK(run({"vm", "ls", "-o", "xml"}) == 2);
  CHECK(run({"vm", "fly"}) == 2);
  CHECK(run({"vm", "create", "a", "--image", "x", "--label", "novalue"}) == 2);
  CHECK(server.requests().empty());
}

TEST_CASE_FIXTURE(cli_fixture, "a host is called off only by somebody who confirms it") {
  canned["POST /api/v1/hosts/node-3/fenced"]
      = {{200, R"({"id":"x","name":"node-3","state":"fenced"})"}};
  CHECK(run({"host", "fenced", "node-3"}) == 1);
  CHECK(last_line() == "switch it off, then say so with --it-is-off");
  CHECK(run({"host", "fenced", "node/3", "--it-is-off"}) == 1);
  CHECK(server.requests().empty());
  CHECK(run({"host", "fenced", "node-3", "--it-is-off"}) == 0);
  CHECK(server.requests().at(0).ends_with(R"({"confirm":"off"})"));
  CHECK(out.str().find("state:  fenced") != std::string::npos);
}

TEST_CASE_FIXTURE(cli_fixture, "nodes are a table of who votes, who is up and how far each is") {
  canned["GET /api/v1/nodes?limit=1000"]
      = {{200, R"({"items":[{"id":"i1","name":"node-1","roles":["controller","host"],)"
               R"("mesh_address":"127.0.0.1:7101","member":"voter","wanted":"unsaid",)"
               R"("leader":true,"up":true,"lag":0,"settled":true},)"
               R"({"id":"i2","name":"node-2","roles":["host"],"member":null,"wanted":"unsaid",)"
               R"("leader":false,"up":false,"lag":null}],"next_cursor":null})"}};
  CHECK(run({"node", "ls"}) == 0);
  CHECK(out.str()
        == "NAME    MEMBER  WANTED  LEADS   UP    LAG  ROLES            ADDRESS         ID\n"
           "node-1  voter   -       leader  up    0    controller+host  127.0.0.1:7101  i1\n"
           "node-2  -       -       -       down  -    host             -               i2\n");
}

TEST_CASE_FIXTURE(cli_fixture, "a change of the members is waited for, and its way is shown") {
  canned["POST /api/v1/nodes/node-3/replace"] = {{202, R"({"id":"i4","settled":false})"}};
  auto page = [](const std::string& rest) {
    return cli_server::answer{200, R"({"items":[{"id":"i4","name":"node-4","wanted":"voter",)"
                                       + rest + R"(}],"changing":"promote node node-4"})"};
  };
  canned["GET /api/v1/nodes"] = {page(R"("member":"standby","lag":7,"settled":false)"),
                                 page(R"("member":"voter","lag":0,"settled":true)")};
  CHECK(run({"node", "replace", "node-3", "node-4"}) == 0);
  CHECK(server.requests().at(0).ends_with(R"({"with":"node-4"})"));
  CHECK(err.str() == "node-4: standby, wanted voter, lag 7 (promote node node-4)\n");
  CHECK(out.str().find("member:   voter\n") != std::string::npos);
  CHECK(run({"node", "replace", "node-3", "node-4", "--no-wait"}) == 0);
  CHECK(err.str().empty());
}

TEST_CASE_FIXTURE(cli_fixture, "a gateway that is away for a while ends no wait") {
  const cli_server::answer nothing{0, ""};
  const cli_server::answer behind{503, R"({"title":"behind","detail":"ask again"})"};
  canned["POST /api/v1/vms/" + vm_id + "/start"] = {{202, R"({"id":"o1","state":"running"})"}};
  canned["GET /api/v1/operations/o1"]
      = {nothing, behind, {200, R"({"id":"o1","state":"succeeded"})"}};
  CHECK(run({"vm", "start", vm_id, "--wait"}) == 0);
  CHECK(err.str().find("doesn't answer") != std::string::npos);
  canned["GET /api/v1/migrations/m1"] = {nothing, {200, R"({"id":"m1","phase":"done"})"}};
  CHECK(run({"migration", "watch", "m1"}) == 0);
  canned["GET /api/v1/tasks/t1"] = {behind, {200, R"({"id":"t1","state":"finished"})"}};
  canned["GET /api/v1/hosts/node-1/drain"] = {{200, R"({"id":"t1","state":"running"})"}};
  CHECK(run({"host", "drain", "node-1", "--show", "--wait"}) == 0);
  canned["GET /api/v1/operations/o1"] = {nothing}; // for good
  CHECK(run({"vm", "start", vm_id, "--wait", "--timeout", "1"}) == 2);
}

TEST_CASE_FIXTURE(cli_fixture, "a refused change of the members ends with 1 and the reason") {
  canned["POST /api/v1/nodes/node-2/remove"]
      = {{409, R"({"title":"It would cost the majority","detail":"2 are needed; bring it back"})"}};
  CHECK(run({"node", "remove", "node-2"}) == 1);
  CHECK(last_line() == "2 are needed; bring it back");
}

TEST_CASE_FIXTURE(cli_fixture, "a token to join with is printed alone, for a pipe") {
  canned["POST /api/v1/join-tokens"] = {{201, R"({"id":"i","token":"novacron-join-1.x"})"}};
  CHECK(run({"cluster", "token", "--role", "controller+gateway", "--life", "60"}) == 0);
  CHECK(out.str() == "novacron-join-1.x\n");
  CHECK(server.requests().at(0).ends_with(R"({"roles":"controller+gateway","life_seconds":60})"));
}
