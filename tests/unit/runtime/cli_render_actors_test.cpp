#include "runtime/cli/render_actors.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
namespace json = boost::json;

TEST_CASE("actors are shown as trees, those that were left out as one line") {
  auto shown = render_actors(json::parse(R"({"left_out":0,"nodes":[
      {"name":"node-1","reachable":true,"more":[
        {"path":"node-1/guests","kind":"vm","count":4312,"running":4310,"restarts":1005,"mailbox":3}],
       "actors":[
        {"path":"node-1/services","supervisor":true,"state":"running","restarts":0,"mailbox":0,
         "up_seconds":192.4,"last_failure":null},
        {"path":"node-1/services/feed","state":"running","restarts":2,"mailbox":null,
         "up_seconds":7.9,"last_failure":"killed"},
        {"path":"node-1/services/view","state":"restarting","restarts":1,"mailbox":null,
         "up_seconds":0,"last_failure":"no port"},
        {"path":"node-1/guests","supervisor":true,"state":"running","restarts":0,"mailbox":12,
         "up_seconds":90061,"last_failure":null},
        {"path":"node-1/guests/vm-1","state":"running","restarts":0,"mailbox":0,
         "up_seconds":3660,"last_failure":null}]},
      {"name":"node-2","reachable":false,"error":"no link","actors":[],"more":[]}]})"),
                             "");
  CHECK(
      shown
      == "ACTOR                       STATE                 RESTARTS  MAILBOX  UP      LAST "
         "FAILURE\n"
         "node-1\n"
         "├─ services                 running               0         0        3m 12s  -\n"
         "│  ├─ feed                  running               2         -        7s      killed\n"
         "│  └─ view                  restarting            1         -        -       no port\n"
         "└─ guests                   running               0         12       1d 1h   -\n"
         "   ├─ vm-1                  running               0         0        1h 1m   -\n"
         "   └─ 4,312 more vm actors  4,310 running, 2 not  1,005     3        -       -\n"
         "node-2                      unreachable           -         -        -       no link\n");
}

TEST_CASE("what was asked for stands at the top of its tree") {
  auto shown = render_actors(json::parse(R"({"left_out":3,"nodes":[
      {"name":"node-2","reachable":true,"more":[],"actors":[
        {"path":"node-2/guests/vm-1","state":"ended","restarts":0,"mailbox":0,"up_seconds":0}]}]})"),
                             "node-2/guests");
  CHECK(shown
        == "ACTOR          STATE  RESTARTS  MAILBOX  UP  LAST FAILURE\n"
           "node-2/guests\n"
           "└─ vm-1        ended  0         0        -   -\n"
           "3 more nodes were not asked; name one: novacron actors <node>\n");
}

TEST_CASE("an answer of another kind is no crash") {
  CHECK(!render_actors(nullptr, "").empty());
  CHECK(!render_actors(json::parse(R"({"nodes":[3,{"actors":7,"more":[1],"reachable":true}]})"), "")
             .empty());
}
