#include "actors/view/view_table.hpp"
#include "view_records.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;
namespace json = boost::json;

namespace {

struct table_fixture {
  view_table table;
  node_id host{uuid_of(9)};

  /// A listing of `count` VMs on node-9, at revision 10.
  void list(uint64_t count) {
    std::set<std::pair<record_type, uuid>> named{{record_type::host, host.value}};
    table.listed(host_of(9, 1));
    for (uint64_t n = 1; n <= count; ++n) {
      table.listed(vm_of(n, 2, host));
      named.emplace(record_type::vm, uuid_of(n));
    }
    table.keep_only(named);
    table.advance(10);
  }

  std::vector<std::string> names(const vm_query& query) const {
    std::vector<std::string> result;
    for (const auto& item : table.vms(query).items)
      result.emplace_back(json::parse(*item).at("name").as_string().c_str());
    return result;
  }

  json::object vm(uint64_t n) const {
    return json::parse(*table.vm({uuid_of(n)}).value().json).as_object();
  }
};

migration_record migration_of(uint64_t n, uint64_t revision) {
  migration_record migration;
  migration.id = {uuid_of(n)};
  migration.vm = {uuid_of(1)};
  migration.from = {uuid_of(9)};
  migration.revision = revision;
  return migration;
}

using strings = std::vector<std::string>;

} // namespace

TEST_CASE_FIXTURE(table_fixture, "a view is complete only after its first listing") {
  table.listed(vm_of(1, 2, host));
  CHECK(!table.complete());
  list(1);
  CHECK(table.complete());
  CHECK(table.revision() == 10);
}

TEST_CASE_FIXTURE(table_fixture, "a list comes in pages in the order of ids") {
  list(5);
  auto first = table.vms({{2, {}}, {}, {}, {}});
  CHECK(first.items.size() == 2);
  CHECK(first.next == uuid_of(2));
  CHECK(first.revision == 10);
  CHECK(names({{2, first.next}, {}, {}, {}}) == strings{"vm-3", "vm-4"});
  auto last = table.vms({{2, uuid_of(4)}, {}, {}, {}});
  CHECK(last.items.size() == 1);
  CHECK(last.next.nil());
}

TEST_CASE_FIXTURE(table_fixture, "a page isn't larger than some MiB, whatever was asked for") {
  for (uint64_t n = 1; n <= 5; ++n) {
    auto vm = vm_of(n, 2, host);
    vm.spec.kernel_arguments = std::string(1'500'000, 'x');
    table.listed(vm);
  }
  auto page
      = table.vms({.page = {.limit = 1'000, .after = {}}, .name = {}, .state = {}, .host = {}});
  CHECK(page.items.size() == 2);
  CHECK(page.next == uuid_of(2));
  auto large = vm_of(7, 2, host);
  large.spec.kernel_arguments = std::string(5'000'000, 'x');
  table.listed(large);
  page = table.vms(
      {.page = {.limit = 1'000, .after = uuid_of(6)}, .name = {}, .state = {}, .host = {}});
  CHECK(page.items.size() == 1);
  CHECK(page.next.nil());
}

TEST_CASE_FIXTURE(table_fixture, "a full last page has no next one") {
  list(4);
  CHECK(table.vms({{2, uuid_of(2)}, {}, {}, {}}).next.nil());
}

TEST_CASE_FIXTURE(table_fixture, "a list is filtered by name, state and host") {
  list(4);
  auto running = vm_of(3, 11, host);
  running.actual = actual_state::running;
  table.changed(running);
  table.changed(vm_of(4, 12, {uuid_of(8)}));
  CHECK(names({{}, "vm-2", {}, {}}) == strings{"vm-2"});
  CHECK(names({{}, {}, actual_state::running, {}}) == strings{"vm-3"});
  CHECK(names({{}, {}, {}, host}) == strings{"vm-1", "vm-2", "vm-3"});
  CHECK(names({{}, {}, actual_state::defined, host}) == strings{"vm-1", "vm-2"});
  CHECK(names({{}, "no-such", {}, {}}).empty());
}

TEST_CASE_FIXTURE(table_fixture, "a VM that is gone is listed only when asked for") {
  list(2);
  auto gone = vm_of(1, 11, host);
  gone.actual = actual_state::gone;
  table.changed(gone);
  CHECK(names({}) == strings{"vm-2"});
  CHECK(names({{}, {}, actual_state::gone, {}}) == strings{"vm-1"});
  CHECK(table.vm(gone.id).has_value());
}

TEST_CASE_FIXTURE(table_fixture, "a record that is older than ours is ignored") {
  list(1);
  auto now = vm_of(1, 20, host);
  now.name = "renamed";
  table.changed(now);
  table.listed(vm_of(1, 19, host));
  CHECK(vm(1).at("name").as_string() == "renamed");
}

TEST_CASE_FIXTURE(table_fixture, "what a new listing doesn't name is gone") {
  list(3);
  table.listed(host_of(9, 1));
  table.keep_only({{record_type::host, host.value}, {record_type::vm, uuid_of(2)}});
  table.advance(20);
  CHECK(names({}) == strings{"vm-2"});
  CHECK(names({{}, "vm-1", {}, {}}).empty());
}

TEST_CASE_FIXTURE(table_fixture, "a VM shows its host's name, also when the host comes later") {
  table.listed(vm_of(1, 2, host));
  CHECK(vm(1).at("host").is_null());
  list(1);
  CHECK(vm(1).at("host").as_string() == "node-9");
  CHECK(vm(1).at("host_id").as_string().c_str() == to_string(host));
}

TEST_CASE_FIXTURE(table_fixture, "a host shows what its VMs and its reservations take") {
  list(3);
  auto shown = [&] { return json::parse(*table.host(host).value().json).as_object(); };
  CHECK(shown().at("memory_used_mib").as_int64() == 768);
  CHECK(shown().at("vms").as_int64() == 3);
  auto gone = vm_of(1, 11, host);
  gone.actual = actual_state::gone;
  table.changed(gone);
  CHECK(shown().at("memory_used_mib").as_int64() == 512);

  table.changed(vm_of(4, 12, {uuid_of(8)}));
  migration_record coming;
  coming.id = {uuid_of(70)};
  coming.vm = {uuid_of(4)};
  coming.to = host;
  coming.revision = 13;
  table.changed(coming);
  CHECK(shown().at("memory_used_mib").as_int64() == 768);
  CHECK(shown().at("vms").as_int64() == 2);
}

TEST_CASE_FIXTURE(table_fixture, "progress is shown with its migration until that is over") {
  list(1);
  migration_record migration;
  migration.id = {uuid_of(70)};
  migration.vm = {uuid_of(1)};
  migration.from = host;
  migration.revision = 11;
  table.changed(migration);
  auto shown = [&] { return json::parse(*table.migration(migration.id).value().json).as_object(); };
  CHECK(shown().at("progress").is_null());
  CHECK(shown().at("intent").as_string() == "gentle");
  CHECK(shown().at("max_pause_ms").as_int64() == 300);
  CHECK(shown().at("max_seconds").is_null());
  CHECK(shown().at("attempt").as_int64() == 1);
  CHECK(shown().at("tries").as_int64() == 1);
  CHECK(shown().at("not_before").is_null());
  table.progress({migration.id, migration.vm, "precopy", 3, 4'096, 30'000, 10'000, 500});
  CHECK(shown().at("progress").at("phase").as_string() == "precopy");
  CHECK(shown().at("progress").at("round").as_int64() == 3);
  CHECK(shown().at("progress").at("ratio").as_double() == 3.0);
  CHECK(shown().at("from").as_string() == "node-9");

  migration.terms = {migration_intent::speed, 0ms, 1'500ms};
  migration.phase = migration_phase::done;
  migration.cost = {1'500ms, 30'000, 10'000, 3, true};
  migration.revision = 12;
  table.changed(migration);
  table.progress({migration.id, migration.vm, "late", 9, 0, 0, 0, 0});
  CHECK(shown().at("progress").is_null());
  CHECK(shown().at("intent").as_string() == "speed");
  CHECK(shown().at("max_pause_ms").as_int64() == 1'000);
  CHECK(shown().at("max_seconds").as_int64() == 2);
  CHECK(shown().at("cost").at("seconds").as_double() == 1.5);
  CHECK(shown().at("cost").at("chain_ok").as_bool());
  CHECK(!shown().at("cost").as_object().contains("pages")); // its source didn't say

  migration.cost.work.same_pages = 7;
  migration.cost.work.raw_bytes[static_cast<size_t>(opaque_reason::device_state)] = 900;
  migration.cost.work.reconnects = 2;
  migration.revision = 13;
  table.changed(migration);
  CHECK(shown().at("cost").at("pages").at("same").as_int64() == 7);
  CHECK(shown().at("cost").at("pages").at("whole").as_int64() == 0);
  CHECK(shown().at("cost").at("raw_bytes").at("device_state").as_int64() == 900);
  CHECK(shown().at("cost").at("reconnects").as_int64() == 2);
}

TEST_CASE_FIXTURE(table_fixture, "VMs are counted by state") {
  list(3);
  auto running = vm_of(3, 11, host);
  running.actual = actual_state::running;
  table.changed(running);
  auto counts = table.vms_by_state();
  CHECK(counts[static_cast<size_t>(actual_state::defined)] == 2);
  CHECK(counts[static_cast<size_t>(actual_state::running)] == 1);
}

TEST_CASE("a VM shows how often it was restarted, and when it is next") {
  auto vm = vm_of(1, 1);
  auto shown = json::parse(vm_json(vm, "")).as_object();
  CHECK(shown.at("restarts").as_int64() == 0);
  CHECK(shown.at("restart_due").is_null());
  vm.restarts.count = 3;
  vm.restarts.due = log_time{1'700'000'000'007ms};
  shown = json::parse(vm_json(vm, "")).as_object();
  CHECK(shown.at("restarts").as_int64() == 3);
  CHECK(shown.at("restart_due").as_string() == "2023-11-14T22:13:20.007Z");
}

TEST_CASE_FIXTURE(table_fixture, "a name is looked for on the host that is asked for") {
  list(2);
  CHECK(names({{}, "vm-1", {}, host}) == strings{"vm-1"});
  CHECK(names({{}, "vm-1", {}, node_id{uuid_of(8)}}).empty());
}

TEST_CASE_FIXTURE(table_fixture, "the revision never goes back") {
  list(1);
  table.advance(5);
  CHECK(table.revision() == 10);
}

TEST_CASE_FIXTURE(table_fixture,
                  "hosts, migrations and operations that a listing doesn't name go") {
  list(1);
  table.changed(operation_of(30, 11, operation_state::running));
  table.changed(migration_of(70, 12));
  table.keep_only({});
  table.advance(20);
  CHECK(!table.host(host));
  CHECK(!table.operation({uuid_of(30)}));
  CHECK(!table.migration({uuid_of(70)}));
}

TEST_CASE_FIXTURE(table_fixture, "an older host, migration or operation changes nothing") {
  list(1);
  auto renamed = host_of(9, 20);
  renamed.name = "renamed";
  table.changed(renamed);
  table.changed(host_of(9, 19));
  CHECK(table.host(host)->revision == 20);
  table.changed(migration_of(70, 20));
  table.changed(migration_of(70, 19));
  CHECK(table.migration({uuid_of(70)})->revision == 20);
  table.changed(operation_of(30, 20, operation_state::succeeded));
  table.changed(operation_of(30, 19, operation_state::running));
  CHECK(table.operation({uuid_of(30)})->revision == 20);
}

TEST_CASE_FIXTURE(table_fixture, "an older task, node or join token changes nothing") {
  task_record task;
  task.id = {uuid_of(40)};
  node_record node;
  node.id = {uuid_of(41)};
  join_token_record token;
  token.id = {uuid_of(42)};
  for (uint64_t revision : {20U, 19U}) {
    task.revision = node.revision = token.revision = revision;
    node.name = "at-" + std::to_string(revision);
    table.changed(task);
    table.changed(node);
    table.changed(token);
  }
  CHECK(table.task(task.id)->revision == 20);
  CHECK(table.name_of_node(node.id) == "at-20");
  CHECK(table.join_token(token.id)->revision == 20);
}

TEST_CASE_FIXTURE(table_fixture, "a migration shows its hosts' new names") {
  list(1);
  table.changed(migration_of(70, 11));
  auto renamed = host_of(9, 12);
  renamed.name = "renamed";
  table.changed(renamed);
  auto shown = json::parse(*table.migration({uuid_of(70)}).value().json).as_object();
  CHECK(shown.at("from").as_string() == "renamed");
}

TEST_CASE_FIXTURE(table_fixture, "a reservation ends with its decision, or with its record") {
  list(1);
  table.changed(vm_of(4, 11, {uuid_of(8)}));
  auto coming = migration_of(70, 12);
  coming.vm = {uuid_of(4)};
  coming.to = host;
  auto used = [&] {
    return json::parse(*table.host(host).value().json).at("memory_used_mib").as_int64();
  };
  table.changed(coming);
  REQUIRE(used() == 512);
  SUBCASE("decided") {
    coming.phase = migration_phase::aborted;
    coming.revision = 13;
    table.changed(coming);
  }
  SUBCASE("removed") {
    table.removed(coming);
  }
  CHECK(used() == 256);
}

TEST_CASE_FIXTURE(table_fixture, "what was removed is in no VM's history any more") {
  list(1);
  table.changed(migration_of(70, 11));
  table.changed(operation_of(30, 12, operation_state::running));
  table.removed(migration_of(70, 11));
  table.removed(operation_of(30, 12, operation_state::running));
  table.advance(13);
  CHECK(table.migrations({{}, vm_id{uuid_of(1)}}).items.empty());
  CHECK(table.operations({{}, vm_id{uuid_of(1)}}).items.empty());
}

TEST_CASE_FIXTURE(table_fixture, "of hosts with one name the one that isn't gone is meant") {
  auto gone = host_of(7, 1);
  gone.name = "node-9";
  gone.state = host_state::gone;
  auto also_gone = gone;
  also_gone.id = {uuid_of(11)};
  table.listed(gone);
  table.listed(host_of(9, 1));
  table.listed(also_gone);
  CHECK(table.host_named("node-9") == host);
}

TEST_CASE("text that isn't UTF-8 still makes a JSON document") {
  auto vm = vm_of(1, 1);
  vm.reason = "bad \xff\xc0\x80 \"quoted\"\n\x01 é \xed\xa0\x80 end";
  auto shown = json::parse(vm_json(vm, "")).as_object();
  std::string reason{shown.at("reason").as_string().c_str()};
  CHECK(reason.starts_with("bad \xef\xbf\xbd"));
  CHECK(reason.ends_with(" end"));
  CHECK(reason.find("é") != reason.npos);
}

TEST_CASE("times are RFC 3339 in milliseconds") {
  CHECK(to_rfc3339(log_time{1'700'000'000'007ms}) == "2023-11-14T22:13:20.007Z");
}
