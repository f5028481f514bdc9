#include "replica_group.hpp"
#include "storage/local/member_address.hpp"
#include "storage/local/new_timeline.hpp"
#include "storage/replication/wire.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

/// One of three founders, as its folder is once the others are gone for good.
struct lost_majority {
  replica_group group{3};
  uint64_t survivor = 0;
  uint64_t last = 0;

  lost_majority() {
    for (uint64_t n = 1; n <= 3; ++n)
      group.write(register_node_of(n));
    group.write(register_test_host(1));
    for (uint64_t n = 1; n <= 20; ++n)
      last = group.write(create_test_vm(n));
    survivor = group.leader() % 3 + 1;
    REQUIRE(group.agree(last));
    for (uint64_t n = 1; n <= 3; ++n)
      group.close(n);
  }

  static command register_node_of(uint64_t n) {
    node_record node;
    node.id = replica_group::node(n);
    node.name = "node-" + std::to_string(n);
    node.roles = {node_role::controller};
    return {register_node{node}, {}};
  }

  replica_config config() {
    auto config = test_config(group.folder(survivor));
    config.node = replica_group::node(survivor);
    config.timeline = 0;
    return config;
  }
  result<folder_outlook> recover() {
    return begin_new_timeline(config(), {recover_cluster{replica_group::node(survivor)}, {}});
  }
};

/// A member that may be told of another timeline by node 1, which it knows as a founder.
struct told_of_timelines {
  replica_group group{1};

  uint64_t id_of(uint64_t n) { return joined_id(replica_group::node(n), disk_of(n)); }
  uint64_t disk_of(uint64_t n) { return group.at(n).status().disk; }
  void tell(uint64_t n, raft_envelope message) {
    message.from = founder_id(replica_group::node(1));
    message.from_disk = disk_of(1);
    message.tag = {1, 1};
    message.body = vote_answer{};
    group.at(n).receive(replica_group::node(1), encode(message));
  }
  /// After all that it was told.
  uint32_t timeline_of(uint64_t n) {
    for (int turn = 0; turn < 2; ++turn) // the second begins when the first one's status is out
      propose(group.at(n), barrier{});
    return group.at(n).status().timeline;
  }
};

} // namespace

TEST_CASE_FIXTURE(lost_majority, "a folder says how far it is, and who else voted") {
  auto outlook = look_into(config());
  REQUIRE_MESSAGE(outlook.has_value(), outlook.error().message);
  CHECK(outlook->timeline == 1);
  CHECK(outlook->last_index >= last);
  CHECK(outlook->applied_index >= last);
  REQUIRE(outlook->voters.size() == 3);
  CHECK(outlook->voters.front().name.starts_with("node-"));
  replica_config nowhere = config();
  nowhere.folder /= "nothing";
  CHECK(look_into(nowhere).error().code == storage_errc::damaged);
}

TEST_CASE_FIXTURE(lost_majority, "one of three goes on alone, with all that it had") {
  auto done = recover();
  REQUIRE_MESSAGE(done.has_value(), done.error().message);
  CHECK(done->timeline == 2);
  CHECK(done->voters.size() == 1);
  auto alone = open_replica(config());
  CHECK(eventually([&] { return alone->status().leader; }));
  CHECK(alone->status().timeline == 2);
  CHECK(alone->status().voters == 1);
  size_t vms = 0;
  for (const auto& record : list_all(*alone).first)
    vms += std::holds_alternative<vm_record>(record);
  CHECK(vms == 20);
  for (const auto& node : alone->nodes())
    CHECK((node.wish == member_wish::removed) == (node.id != replica_group::node(survivor)));
  auto outcome = propose(*alone, create_test_vm(99).body);
  CHECK(outcome.error == command_errc::hosts_awaited);
  CHECK(propose(*alone, register_test_host(1).body).ok());
  CHECK(propose(*alone, create_test_vm(99).body).error == command_errc::hosts_awaited);
  CHECK(propose(*alone, renew_lease{test_host(1), test_boot, std::chrono::seconds{9}}).ok());
  CHECK(propose(*alone, confirm_inventory{test_host(1), test_boot}).ok());
  CHECK(propose(*alone, create_test_vm(99).body).ok());
}

TEST_CASE_FIXTURE(lost_majority, "who followed the lost group's feed has to list again") {
  REQUIRE(recover().has_value());
  auto alone = open_replica(config());
  // Even one who had seen more than the survivor.
  pull_request ahead;
  ahead.after = last + 1'000'000;
  auto changes = alone->changes_after(ahead);
  REQUIRE(changes.has_value());
  CHECK(changes->too_old);
  CHECK(propose(*alone, barrier{}).revision > ahead.after);
}

TEST_CASE_FIXTURE(lost_majority,
                  "what somebody knows under a lost revision is older than what is") {
  REQUIRE(recover().has_value());
  auto alone = open_replica(config());
  const auto records = list_all(*alone).first;
  CHECK(records.size() > 20);
  for (const auto& record : records)
    CHECK(std::visit([](const auto& x) { return x.revision; }, record) >= revision_jump);
}

TEST_CASE_FIXTURE(lost_majority, "the lost ones can't take part any more, a new one can") {
  REQUIRE(recover().has_value());
  group.open_as_folder_says(survivor);
  CHECK(eventually([&] { return group.at(survivor).status().leader; }));
  // An old voter comes back with its disk: it is not heard.
  const auto lost = survivor % 3 + 1;
  group.open(lost);
  group.write(register_test_host(1));
  CHECK(group.at(survivor).status().voters == 1);
  CHECK(group.at(lost).status().timeline == 1);
  group.close(lost);
  // A new one doesn't know which timeline there is, and learns it.
  group.open_as_folder_says(4, true);
  REQUIRE(group.change(member_change::kind::add, 4, group.at(4).status().disk).has_value());
  auto promoted = group.change(member_change::kind::promote, 4);
  REQUIRE_MESSAGE(promoted.has_value(), promoted.error().message);
  group.write({renew_lease{test_host(1), test_boot, std::chrono::seconds{9}}, {}});
  group.write({confirm_inventory{test_host(1), test_boot}, {}});
  CHECK(group.agree(group.write(create_test_vm(77))));
  CHECK(group.at(4).status().timeline == 2);
}

TEST_CASE_FIXTURE(lost_majority, "a recovery that was done twice is one") {
  REQUIRE(recover().has_value());
  auto again = recover();
  REQUIRE(again.has_value());
  CHECK(again->timeline == 3);
  auto alone = open_replica(config());
  CHECK(eventually([&] { return alone->status().leader; }));
}

TEST_CASE_FIXTURE(told_of_timelines,
                  "a replica that has nothing takes a timeline that is later, and meant for it") {
  group.open_as_folder_says(4, true);
  raft_envelope later;
  later.timeline = 9;
  later.to = id_of(4);
  auto elsewhere = later;
  elsewhere.group = 1;
  tell(4, elsewhere);
  auto other_disk = later;
  other_disk.to = joined_id(replica_group::node(4), disk_of(4) + 1);
  tell(4, other_disk);
  CHECK(timeline_of(4) == 0);
  tell(4, later);
  CHECK(timeline_of(4) == 9);
  later.timeline = 8;
  tell(4, later);
  CHECK(timeline_of(4) == 9);
}

TEST_CASE_FIXTURE(told_of_timelines, "a replica with a log of its own stays in its timeline") {
  group.write(register_test_host(1));
  group.open(4, true);
  REQUIRE(group.change(member_change::kind::add, 4, disk_of(4)).has_value());
  REQUIRE(group.agree(group.write(create_test_vm(1))));
  raft_envelope later;
  later.timeline = 9;
  later.to = founder_id(replica_group::node(1));
  tell(1, later);
  later.to = id_of(4);
  tell(4, later);
  CHECK(timeline_of(1) == 1);
  CHECK(timeline_of(4) == 1);
  CHECK(group.agree(group.write(create_test_vm(2))));
}
