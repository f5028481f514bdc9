#include "replica_group.hpp"

#include <doctest/doctest.h>

using namespace novacron;

using change_kind = member_change::kind;

namespace {

/// Adds and promotes node `n`, which is opened empty.
void grow(replica_group& group, uint64_t n) {
  group.open(n, true);
  auto added = group.change(change_kind::add, n, group.at(n).status().disk);
  REQUIRE_MESSAGE(added.has_value(), added.error().message);
  auto promoted = group.change(change_kind::promote, n);
  REQUIRE_MESSAGE(promoted.has_value(), promoted.error().message);
}

} // namespace

TEST_CASE("a group of one grows to three while it is written to, and shrinks again") {
  replica_group group{1};
  group.write(register_test_host(1));
  uint64_t last = 0;
  uint64_t next = 0;
  for (uint64_t n = 2; n <= 3; ++n) {
    for (int i = 0; i < 10; ++i)
      last = group.write(create_test_vm(++next));
    grow(group, n);
  }
  CHECK(group.agree(last));
  CHECK(group.at(3).status().voters == 3);
  REQUIRE(group.change(change_kind::demote, 3).has_value());
  REQUIRE(group.change(change_kind::remove, 3).has_value());
  group.close(3);
  last = group.write(create_test_vm(++next));
  CHECK(group.agree(last));
}

TEST_CASE("a leader that is to be removed hands over first; the next one removes it") {
  replica_group group{3};
  group.write(register_test_host(1));
  const auto old = group.leader();
  auto handed = group.change(change_kind::remove, old);
  REQUIRE_FALSE(handed.has_value());
  CHECK(handed.error().code == storage_errc::not_leader);
  REQUIRE(eventually([&] { return group.change(change_kind::remove, old).has_value(); }));
  group.close(old);
  CHECK(group.agree(group.write(create_test_vm(1))));
  CHECK(group.at(group.leader()).status().voters == 2);
}

TEST_CASE("a change that would cost the majority is refused, with the reason") {
  replica_group group{3};
  group.write(register_test_host(1));
  const auto leading = group.leader();
  const auto dead = leading % 3 + 1;
  const auto alive = dead % 3 + 1;
  group.close(dead);
  auto offline = [&] {
    for (const auto& each : group.at(group.leader()).status().members)
      if (each.node == replica_group::node(dead))
        return !each.online;
    return false;
  };
  REQUIRE(eventually(offline));
  auto refused = group.change(change_kind::remove, alive);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == storage_errc::refused);
  CHECK(refused.error().message.find("are needed") != std::string::npos);
  CHECK(group.change(change_kind::remove, dead).has_value());
  CHECK(group.agree(group.write(create_test_vm(1))));
}

TEST_CASE("a sixth voter is taken, so that one can be replaced, and a seventh is refused") {
  replica_group group{5};
  group.write(register_test_host(1));
  grow(group, 6);
  group.open(7, true);
  REQUIRE(group.change(change_kind::add, 7, group.at(7).status().disk).has_value());
  auto refused = group.change(change_kind::promote, 7);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == storage_errc::refused);
  CHECK(refused.error().message.find("the group has 6 voters, and takes no more")
        != std::string::npos);
  CHECK(group.has(7, member_role::standby));
  const auto goes = group.leader() % 5 + 1;
  REQUIRE(group.change(change_kind::demote, goes).has_value());
  auto promoted = group.change(change_kind::promote, 7);
  CHECK_MESSAGE(promoted.has_value(), (promoted ? std::string{} : promoted.error().message));
  CHECK(group.agree(group.write(create_test_vm(1))));
}

TEST_CASE("changes that make no sense are refused") {
  replica_group group{1};
  auto code = [](const result<void>& x) { return x ? std::error_code{} : x.error().code; };
  CHECK(code(group.change(change_kind::promote, 1)) == storage_errc::refused);
  CHECK(code(group.change(change_kind::remove, 1)) == storage_errc::refused);
  CHECK(code(group.change(change_kind::demote, 1)) == storage_errc::refused);
  CHECK(code(group.change(change_kind::remove, 7)) == storage_errc::refused);
  CHECK(code(group.change(change_kind::add, 2)) == storage_errc::refused);
}

TEST_CASE("a new member gets a snapshot where the log no longer reaches back") {
  replica_group group{1, 20};
  group.write(register_test_host(1));
  uint64_t last = 0;
  for (uint64_t n = 1; n <= 120; ++n)
    last = group.write(create_test_vm(n));
  group.network.fail_chunks(5, 8);
  grow(group, 2);
  CHECK(group.network.chunks() > 10);
  CHECK(group.network.beginnings() == 1); // what was there is not fetched again
  CHECK(group.agree(last));
  // It can be told apart from one that was there from the start only by its feed.
  pull_request since_ever;
  auto changes = group.at(2).changes_after(since_ever);
  REQUIRE(changes.has_value());
  CHECK(changes->too_old);
  // What it got survives, and so does what came after it.
  last = group.write(create_test_vm(121));
  group.close(2);
  group.open(2);
  CHECK(group.agree(last));
}

TEST_CASE("a follower that slept too long gets a snapshot, and the log isn't kept for it") {
  replica_group group{3, 20};
  group.write(register_test_host(1));
  for (int round = 0; round < 3; ++round) { // both generations of keys, and again
    const auto sleeper = group.leader() % 3 + 1;
    group.close(sleeper);
    uint64_t last = 0;
    for (uint64_t n = 1; n <= 60; ++n)
      last = group.write(create_test_vm(static_cast<uint64_t>(round) * 100 + n));
    const auto before = group.network.chunks();
    group.open(sleeper);
    CHECK(group.agree(last));
    CHECK(group.network.chunks() > before);
    CHECK(list_all(group.at(sleeper), {}, 700).first.size()
          == 1 + 2 * 60 * (static_cast<size_t>(round) + 1));
  }
}

TEST_CASE("a change that is asked while the replica stops is answered all the same") {
  replica_group group{1};
  REQUIRE(group.change(change_kind::add, 2, 7).has_value());
  // Nobody is there who could catch up, so the first one ends with the replica;
  // and then, on its thread, another is asked.
  auto first = std::make_shared<awaited<bool>>();
  auto second = std::make_shared<awaited<bool>>();
  auto& one = group.at(1);
  one.change_member({change_kind::promote, replica_group::node(2)}, [&](const result<void>&) {
    one.change_member({change_kind::remove, replica_group::node(2)},
                      [second](const result<void>&) { second->set(true); });
    first->set(true);
  });
  group.close(1);
  CHECK(first->get().has_value());
  CHECK(second->get().has_value());
}
