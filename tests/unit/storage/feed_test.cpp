#include "messages/codec.hpp"
#include "test_replica.hpp"

#include <algorithm>
#include <atomic>
#include <doctest/doctest.h>
#include <limits>
#include <map>
#include <thread>

using namespace novacron;

namespace {

using table = std::map<std::pair<record_type, uuid>, any_record>;

uint64_t revision_of(const any_record& x) {
  return std::visit([](const auto& record) { return record.revision; }, x);
}

/// What a follower of the feed does: lists, then pulls.
struct follower {
  replica& of;
  node_id host;
  table known;
  uint64_t revision = 0;

  void put(const any_record& x) {
    auto& slot = known[{type_of(x), id_of(x)}];
    if (revision_of(slot) <= revision_of(x))
      slot = x;
  }

  void list(uint32_t limit_bytes) {
    auto [records, first] = list_all(of, host, limit_bytes);
    for (const auto& each : records)
      put(each);
    revision = first;
  }

  /// False: nothing new.
  bool pull(uint32_t limit_bytes) {
    pull_request request;
    request.after = revision;
    request.filter.host = host;
    request.limit_bytes = limit_bytes;
    auto page = of.changes_after(request);
    REQUIRE_MESSAGE(page.has_value(), page.error().message);
    REQUIRE_FALSE(page->too_old);
    uint64_t last = revision;
    for (const auto& each : page->changes) {
      CHECK(each.revision >= last);
      CHECK(each.revision <= page->revision);
      last = each.revision;
      if (each.removed)
        known.erase({type_of(each.record), id_of(each.record)});
      else
        put(each.record);
    }
    const bool more = page->revision > revision;
    revision = page->revision;
    return more;
  }
};

table to_table(const std::vector<any_record>& records) {
  table all;
  for (const auto& each : records)
    all.emplace(std::pair{type_of(each), id_of(each)}, each);
  return all;
}

std::vector<any_record> of_type(const std::vector<any_record>& records, record_type type) {
  std::vector<any_record> some;
  for (const auto& each : records)
    if (type_of(each) == type)
      some.push_back(each);
  return some;
}

} // namespace

TEST_CASE("listing and then pulling yields the state, while others write") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  propose(*one, {register_test_host(1), register_test_host(2)});
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> created{0};
  std::thread writer{[&] {
    for (uint64_t n = 0; !stop; ++n) {
      auto answer = std::make_shared<awaited<bool>>();
      one->propose({create_test_vm(2 * n),
                    create_test_vm(2 * n + 1, 2),
                    {request_state{test_vm(n), requested_state::running, 0, {{9, n}}}, {}}},
                   [answer](auto) { answer->set(true); });
      if (!answer->get())
        return;
      ++created;
    }
  }};
  follower all{*one, {}, {}, 0};
  const bool some = eventually([&] { return created > 10; });
  all.list(500); // several pages, over which the state changes
  const bool more = eventually([&] {
    all.pull(700);
    return created > 100;
  });
  stop = true;
  writer.join();
  CHECK(some);
  CHECK(more);
  while (all.pull(700))
    ;
  auto [records, revision] = list_all(*one);
  CHECK(all.revision == revision);
  CHECK(all.known == to_table(records));
}

TEST_CASE("a page of changes holds whole revisions, at least one") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  propose(*one, {register_test_host(1)});
  std::vector<command> many;
  for (uint64_t n = 0; n < 50; ++n)
    many.push_back(create_test_vm(n));
  const auto revision = propose(*one, many).at(0).revision;
  propose(*one, {create_test_vm(100)});
  pull_request request;
  request.after = revision - 1;
  request.limit_bytes = 1;
  auto page = one->changes_after(request).value();
  CHECK(page.revision == revision);
  CHECK(page.changes.size() == 100);
  request.after = revision;
  CHECK(one->changes_after(request).value().changes.size() == 2);
  request.after = one->status().applied_index;
  page = one->changes_after(request).value();
  CHECK(page.changes.empty());
  CHECK(page.revision == request.after);
}

TEST_CASE("changes that are not kept any more are too old, and the listing still is right") {
  scratch_folder folder;
  auto config = test_config(folder.path());
  config.keep_changes = 16;
  auto one = open_replica(config);
  propose(*one, {register_test_host(1)});
  for (uint64_t n = 0; n < 60; ++n)
    propose(*one, {create_test_vm(n)});
  pull_request request;
  request.after = 1;
  CHECK(one->changes_after(request).value().too_old);
  request.after = one->status().applied_index - 16;
  auto page = one->changes_after(request).value();
  CHECK_FALSE(page.too_old);
  CHECK(page.changes.size() == 32);
  CHECK(of_type(list_all(*one).first, record_type::vm).size() == 60);
  one.reset();
  one = open_replica(config);
  request.after = 1;
  CHECK(one->changes_after(request).value().too_old);
}

TEST_CASE("a host gets its VMs, its migrations, all hosts, and the change that takes a VM away") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  propose(*one, {register_test_host(1), register_test_host(2), register_test_host(3)});
  propose(*one, {create_test_vm(1, 1), create_test_vm(2, 2)});
  const migration_id move{{7, 7}};
  const epoch running{1, 1};
  auto report = [&](uint64_t host, epoch of) {
    static uint64_t sequence = 0;
    propose(*one, host_report{test_host(host),
                              test_boot,
                              ++sequence,
                              {{test_vm(1), of, actual_state::running, ""}},
                              {}});
  };
  propose(*one, request_state{test_vm(1), requested_state::running, 0, {{8, 1}}});
  report(1, running);
  follower source{*one, test_host(1), {}, 0};
  follower destination{*one, test_host(2), {}, 0};
  follower other{*one, test_host(3), {}, 0};
  for (auto each : {&source, &destination, &other})
    each->list(65536);
  const auto vm = std::pair{record_type::vm, test_vm(1).value};
  CHECK(source.known.size() == 3 + 1);
  CHECK(source.known.contains(vm));
  CHECK_FALSE(destination.known.contains(vm));
  CHECK(other.known.size() == 3);

  auto pull = [&] {
    for (auto each : {&source, &destination, &other})
      while (each->pull(1))
        ;
  };
  REQUIRE(propose(*one, reserve_migration{move, test_vm(1), test_host(2), 0, {{8, 2}}}).ok());
  pull();
  CHECK(destination.known.contains(vm));
  CHECK(destination.known.contains({record_type::migration, move.value}));
  REQUIRE(propose(*one, decide_migration{move, running, migration_decision::commit, ""}).ok());
  pull();
  CHECK(std::get<vm_record>(source.known.at(vm)).host == test_host(2));
  // Listed anew, both ends still have it: the migration is not over.
  CHECK(of_type(list_all(*one, test_host(1)).first, record_type::vm).size() == 1);
  report(2, running.next());
  propose(*one, host_report{test_host(1), test_boot, 100, {}, {{move, true, {}}}});
  pull();
  CHECK(std::get<vm_record>(source.known.at(vm)).migration.nil());
  CHECK(std::get<migration_record>(source.known.at({record_type::migration, move.value})).phase
        == migration_phase::done);
  // From here on it is no business of the source.
  CHECK(of_type(list_all(*one, test_host(1)).first, record_type::vm).empty());
  auto before = source.known;
  propose(*one, request_state{test_vm(1), requested_state::stopped, 0, {{8, 3}}});
  pull();
  CHECK(source.known == before);
  CHECK(std::get<vm_record>(destination.known.at(vm)).requested == requested_state::stopped);
  CHECK(other.known.size() == 3);
}

TEST_CASE("one VM's record can be read alone, wherever it is placed") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  propose(*one, {register_test_host(1), register_test_host(2)});
  propose(*one, {create_test_vm(1), create_test_vm(2, 2), create_test_vm(3)});
  auto page = one->list({{test_host(1)}, {}, 65'536, false, test_vm(2)});
  REQUIRE(page.has_value());
  REQUIRE(page->records.size() == 1);
  CHECK(std::get<vm_record>(page->records[0]).id == test_vm(2));
  CHECK(page->next.empty());
  CHECK(one->list({{test_host(1)}, {}, 65'536, false, test_vm(9)})->records.empty());
}

TEST_CASE("tasks are kept, listed and fed like other records, past what isn't fed") {
  scratch_folder folder;
  const task_id drain{{5, 5}};
  {
    auto one = open_replica(test_config(folder.path()));
    propose(*one, {register_test_host(1), register_test_host(2), create_test_vm(1, 1, "a-key")});
    REQUIRE(propose(*one, renew_lease{test_host(1), test_boot, std::chrono::seconds{5}}).ok());
    follower all{*one, {}, {}, 0};
    all.list(65536);
    maintain_host wish;
    wish.host = test_host(1);
    wish.wish = maintenance_wish::drain;
    wish.task = drain;
    REQUIRE(propose(*one, wish).ok());
    while (all.pull(65536))
      ;
    CHECK(all.known.contains({record_type::task, drain.value}));
    for (uint32_t page : {1u, 65536u})
      CHECK(all.known == to_table(list_all(*one, {}, page).first));
    CHECK(of_type(list_all(*one, test_host(1)).first, record_type::task).empty()); // not a host's
  }
  auto again = open_replica(test_config(folder.path()));
  const auto tasks = of_type(list_all(*again).first, record_type::task);
  REQUIRE(tasks.size() == 1);
  CHECK(std::get<task_record>(tasks[0]).moves.size() == 1);
  CHECK(propose(*again, renew_lease{test_host(1), test_boot, std::chrono::seconds{5}}).lease.renewal
        == 2);
}

TEST_CASE("nodes are listed behind what isn't fed, page by page, and told to every host") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  CHECK(propose(*one, register_test_host(1).body).ok());
  CHECK(propose(*one, renew_lease{test_host(1), test_boot, std::chrono::seconds{9}}).ok());
  for (uint64_t n = 1; n <= 3; ++n) {
    node_record node;
    node.id = {{0xa, n}};
    node.name = "node-" + std::to_string(n);
    CHECK(propose(*one, register_node{node}, {"ann", std::to_string(n), {}}).ok());
  }
  CHECK(
      propose(*one, make_join_token{{{9, 9}}, {}, {node_role::host}, std::chrono::hours{1}}).ok());
  const auto all = list_all(*one, {}, 1).first; // a record a page
  const auto of_a_host = list_all(*one, test_host(7), 1).first;
  auto count = [](const auto& records, record_type type) {
    return std::count_if(records.begin(), records.end(),
                         [&](const auto& x) { return type_of(x) == type; });
  };
  CHECK(all.size() == 5);
  CHECK(count(all, record_type::node) == 3);
  CHECK(count(of_a_host, record_type::node) == 3);
  CHECK(count(of_a_host, record_type::join_token) == 0);
  pull_request request;
  request.filter.host = test_host(7);
  auto changes = one->changes_after(request);
  REQUIRE(changes.has_value());
  CHECK(std::ranges::count_if(changes->changes,
                              [](const auto& x) { return type_of(x.record) == record_type::node; })
        == 3);
}

TEST_CASE("who is beyond the state gets nothing, and stays where it is") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  const auto last = propose(*one, {register_test_host(1)}).at(0).revision;
  for (uint64_t after : {last, last + 1, std::numeric_limits<uint64_t>::max()}) {
    pull_request request;
    request.after = after;
    auto page = one->changes_after(request);
    REQUIRE(page.has_value());
    CHECK(page->changes.empty());
    CHECK_FALSE(page->too_old);
    CHECK(page->revision == after);
  }
}

TEST_CASE("a revision that fits into no message has to be listed") {
  scratch_folder folder;
  auto one = open_replica(test_config(folder.path()));
  propose(*one, {register_test_host(1)});
  REQUIRE(propose(*one, renew_lease{test_host(1), test_boot, std::chrono::seconds{1}}).ok());
  uint64_t before = 0;
  for (uint64_t n = 0; n < 90; ++n) {
    auto wish = create_test_vm(n);
    std::get<create_vm>(wish.body).spec.kernel_arguments = std::string(50'000, 'x');
    REQUIRE(propose(*one, {wish}).at(0).ok());
    before = propose(*one, request_state{test_vm(n), requested_state::running, 0, {}}).revision;
  }
  auto lost = propose(*one, expire_lease{test_host(1), 1});
  REQUIRE(lost.ok());
  for (uint64_t after = 0; after < lost.revision;) {
    pull_request request;
    request.after = after;
    auto page = one->changes_after(request);
    REQUIRE(page.has_value());
    CHECK(encode(*page).size() <= max_encoded_bytes);
    CHECK(page->too_old == (after == before));
    CHECK(page->revision > after);
    after = page->revision;
  }
  CHECK(of_type(list_all(*one).first, record_type::vm).size() == 90);
}
