#include "runtime/cli/render.hpp"
#include "runtime/cli/table.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
namespace json = boost::json;

TEST_CASE("columns line up by characters, not bytes") {
  CHECK(format_table({"A", "B"}, {{"ö", "1"}, {"xyz", ""}}) == "A    B\nö    1\nxyz\n");
  CHECK(format_pairs({{"a", "1"}, {"bcd", "2"}}) == "a:    1\nbcd:  2\n");
}

TEST_CASE("bytes are shown in the unit that fits") {
  CHECK(format_bytes(0) == "0 B");
  CHECK(format_bytes(1'023) == "1023 B");
  CHECK(format_bytes(1'536) == "1.5 KiB");
  CHECK(format_bytes(268'435'456) == "256.0 MiB");
}

TEST_CASE("what is missing or of another type is shown as nothing, never as a crash") {
  auto odd = json::parse(R"({"name":{"a":1},"vcpus":"x","host":null})");
  CHECK(!render_list(listed_thing::vms, {odd, nullptr, 3}).empty());
  CHECK(!render_list(listed_thing::hosts, {odd}).empty());
  CHECK(!render_list(listed_thing::migrations, {odd}).empty());
  CHECK(render_one(nullptr).empty());
  CHECK(!render_event(odd).empty());
  CHECK(field_number(odd, "vcpus") == 0);
}

TEST_CASE("a problem's last line says what to do, also when there is no document") {
  auto shown = render_problem(400, json::parse(R"({"title":"Bad input","field":"/name",
      "detail":"/name is missing; add it"})"));
  CHECK(shown == "Bad input (/name)\n/name is missing; add it\n");
  CHECK(render_problem(500, nullptr) == "the gateway answered 500\nlook into the gateway's log\n");
}

TEST_CASE("a cluster is shown with its leader, and what is not known of a member as such") {
  auto shown = render_cluster(json::parse(R"({"leader":"id-1","term":3,"commit_index":9,
      "cluster_version":4,"survives":"its disk","refused":null,"members":[
      {"node":"id-1","name":"node-1","role":"voter","leader":true,"online":true,
       "stored_index":9,"lag":0,"knows_version":4,"compared_index":8},
      {"node":"id-2","name":null,"role":"standby","leader":false,"online":null,
       "stored_index":null,"lag":null,"knows_version":null,"compared_index":null}]})"));
  CHECK(shown
        == "leader:            node-1\n"
           "term:              3\n"
           "committed:         9\n"
           "cluster version:   4\n"
           "a write survives:  its disk\n"
           "NAME    ROLE     LEADS   ONLINE   STORED  LAG  KNOWS  SAME AT  ID\n"
           "node-1  voter    leader  online   9       0    4      8        id-1\n"
           "-       standby  -       unknown  -       -    -      -        id-2\n");
  CHECK(!render_cluster(nullptr).empty());
}

TEST_CASE("what is in an object of a document has a line of its own") {
  const auto shown = render_one(json::parse(R"({"id":"id-1","labels":{},"cost":
      {"seconds":1.5,"pages":{"zero":3,"whole":null}}})"));
  CHECK(shown
        == "id:                id-1\n"
           "labels:            {}\n"
           "cost.seconds:      1.5\n"
           "cost.pages.zero:   3\n"
           "cost.pages.whole:  -\n");
}

TEST_CASE("a host that a recovered cluster waits for is shown as such") {
  const auto host = json::parse(R"({"name":"node-1","state":"up","awaited":true})");
  CHECK(render_list(listed_thing::hosts, {host}).find("up, awaited") != std::string::npos);
}
