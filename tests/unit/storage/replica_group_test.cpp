#include "replica_group.hpp"
#include "storage/replication/wire.hpp"

#include <doctest/doctest.h>

using namespace novacron;

using change_kind = member_change::kind;

TEST_CASE("three replicas acknowledge writes, and hold the same records") {
  replica_group group{3};
  group.write(register_test_host(1));
  uint64_t last = 0;
  for (uint64_t n = 1; n <= 30; ++n)
    last = group.write(create_test_vm(n));
  CHECK(group.agree(last));
  CHECK(list_all(group.at(1)).first.size() == 61); // a host; VMs and their operations
  CHECK(group.network.largest_message() <= 65536);
}

TEST_CASE("a follower refuses proposals and barriers, and says who leads") {
  replica_group group{3};
  const auto leading = group.leader();
  const auto other = leading % 3 + 1;
  const auto leads = replica_group::node(leading);
  REQUIRE(eventually([&] { return group.at(other).status().leads == leads; }));
  const auto outcome = propose(group.at(other), {register_test_host(1)}).at(0);
  CHECK(outcome.error == command_errc::not_leader);
  CHECK(outcome.detail.find(to_string(leads)) != std::string::npos);
  auto answer = std::make_shared<awaited<std::error_code>>();
  group.at(other).read_barrier([answer](result<uint64_t> done) {
    answer->set(done ? std::error_code{} : done.error().code);
  });
  CHECK(answer->get() == storage_errc::not_leader);
}

TEST_CASE("a barrier of the leader covers what was acknowledged, and is shared by all who wait") {
  replica_group group{3};
  const auto last = group.write(register_test_host(1));
  auto& leading = group.at(group.leader());
  std::vector<std::shared_ptr<awaited<uint64_t>>> answers;
  const auto before = leading.status().commit_index;
  for (int i = 0; i < 200; ++i) {
    answers.push_back(std::make_shared<awaited<uint64_t>>());
    leading.read_barrier(
        [answer = answers.back()](result<uint64_t> done) { answer->set(done ? *done : 0); });
  }
  for (auto& each : answers)
    CHECK(each->get().value_or(0) >= last);
  CHECK(leading.status().commit_index - before < 100);
}

TEST_CASE("a leader that is cut off lets no reader through its barrier") {
  replica_group group{3};
  group.write(register_test_host(1));
  const auto old = group.leader();
  group.network.cut(replica_group::node(old));
  auto answer = std::make_shared<awaited<std::error_code>>();
  group.at(old).read_barrier([answer](const result<uint64_t>& done) {
    answer->set(done ? std::error_code{} : done.error().code);
  });
  CHECK(answer->get() == storage_errc::not_leader);
}

TEST_CASE("what a replica says after a restart comes after all that it said before") {
  struct listener final : replica_transport {
    awaited<message_tag> first;
    void send(node_id, std::vector<std::byte> message) override {
      first.set(decode_envelope(message).value().tag);
    }
    void fetch(node_id, const snapshot_chunk_request&,
               std::function<void(result<snapshot_chunk>)>) override {}
  };
  scratch_folder folder;
  auto config = test_config(folder.path());
  config.founders = {test_node, {{0xa, 2}}, {{0xa, 3}}};
  message_tag before;
  for (int life = 0; life < 2; ++life) {
    auto heard = std::make_shared<listener>();
    config.transport = heard;
    auto one = open_replica(config);
    const auto tag = heard->first.get();
    REQUIRE(tag.has_value());
    one.reset();
    CHECK(tag->session > before.session);
    before = *tag;
  }
}

TEST_CASE("a leader that is cut off acknowledges nothing, and steps down with unknown outcomes") {
  replica_group group{3};
  group.write(register_test_host(1));
  const auto old = group.leader();
  group.network.cut(replica_group::node(old));
  const auto outcome = propose(group.at(old), {create_test_vm(1, 1, "once")}).at(0);
  CHECK(outcome.error == command_errc::unknown_outcome);
  CHECK_FALSE(group.at(old).status().leader);
  REQUIRE(eventually([&] { return group.leader() != old; }));
  group.write(create_test_vm(1, 1, "once"));
  group.network.heal();
  const auto last = group.write(create_test_vm(2));
  CHECK(group.agree(last));
  CHECK(list_all(group.at(old)).first.size() == 5);
}

TEST_CASE("each replica may die and come back; nothing acknowledged is lost") {
  replica_group group{3};
  group.write(register_test_host(1));
  uint64_t next = 0;
  uint64_t last = 0;
  for (uint64_t victim = 1; victim <= 3; ++victim) {
    group.close(victim);
    for (int i = 0; i < 5; ++i)
      last = group.write(create_test_vm(++next));
    group.open(victim);
    CHECK(group.agree(last));
  }
  const auto leading = group.leader();
  group.close(leading);
  last = group.write(create_test_vm(++next));
  group.open(leading);
  CHECK(group.agree(last));
  CHECK(list_all(group.at(leading)).first.size() == 1 + 2 * next);
}

TEST_CASE("all replicas may die at once") {
  replica_group group{3};
  group.write(register_test_host(1));
  const auto last = group.write(create_test_vm(1));
  for (uint64_t n = 1; n <= 3; ++n)
    group.close(n);
  for (uint64_t n = 1; n <= 3; ++n)
    group.open(n);
  CHECK(group.agree(last));
  CHECK(group.write(create_test_vm(2)) > last);
}

TEST_CASE("of five replicas two may be gone for good; without a third nothing is acknowledged") {
  replica_group group{5};
  group.write(register_test_host(1));
  REQUIRE(eventually([&] { return group.at(group.leader()).status().voters == 5; }));
  uint64_t next = 0;
  uint64_t last = 0;
  for (int gone = 1; gone <= 2; ++gone) { // each time the one that leads, with its disk
    const auto victim = group.leader();
    group.close(victim);
    group.empty(victim);
    for (int i = 0; i < 5; ++i)
      last = group.write(create_test_vm(++next));
  }
  CHECK(group.agree(last));
  const auto old = group.leader();
  uint64_t third = 1;
  while (!group.is_open(third) || third == old)
    ++third;
  group.close(third);
  auto& leading = group.at(old);
  const auto outcome = propose(leading, {create_test_vm(77, 1, "once")}).at(0);
  CHECK((outcome.error == command_errc::unknown_outcome
         || outcome.error == command_errc::not_leader));
  REQUIRE(eventually([&] { return !leading.status().leader; }));
  CHECK(propose(leading, {create_test_vm(78)}).at(0).error == command_errc::not_leader);
  CHECK(list_all(leading).first.size() == 1 + 2 * next);
  group.open(third);
  group.write(create_test_vm(77, 1, "once")); // whatever became of it, it is there once now
  last = group.write(create_test_vm(79));
  CHECK(group.agree(last));
  CHECK(list_all(group.at(third)).first.size() == 1 + 2 * (next + 2));
}

TEST_CASE("the lead is handed over to the node that is asked for") {
  replica_group group{3};
  group.write(register_test_host(1));
  const auto old = group.leader();
  const auto next = old % 3 + 1;
  REQUIRE(eventually([&] {
    group.at(group.leader()).hand_over(replica_group::node(next));
    return group.leader() == next;
  }));
  CHECK(group.agree(group.write(create_test_vm(1))));
}

TEST_CASE("a founder's disk is known to the group once it has been heard of") {
  replica_group group{3};
  auto named = [&] {
    for (const auto& each : group.at(group.leader()).status().members)
      if (each.disk == 0)
        return false;
    return true;
  };
  REQUIRE(eventually(named));
  const auto status = group.at(2).status();
  CHECK(eventually([&] {
    for (const auto& each : group.at(1).status().members)
      if (each.node == replica_group::node(2))
        return each.disk == status.disk;
    return false;
  }));
}

TEST_CASE("a voter whose disk was emptied can't come back under its old id") {
  replica_group group{3};
  group.write(register_test_host(1));
  auto named = [&] {
    for (uint64_t n = 1; n <= 3; ++n)
      for (const auto& each : group.at(n).status().members)
        if (each.disk == 0)
          return false;
    return true;
  };
  REQUIRE(eventually(named));
  const auto victim = group.leader() % 3 + 1;
  group.close(victim);
  group.empty(victim);
  group.open(victim); // as a founder, as if nothing had happened
  CHECK(eventually([&] { return !group.at(victim).status().refused.empty(); }));
  CHECK(group.at(victim).status().refused.find("emptied") != std::string::npos);
  CHECK(propose(group.at(victim), {register_test_host(2)}).at(0).error == command_errc::not_leader);
  // The others go on without it, and it comes back as a new member.
  const auto last = group.write(create_test_vm(1));
  group.close(victim);
  group.empty(victim);
  group.open(victim, true);
  REQUIRE(group.change(change_kind::remove, victim).has_value());
  REQUIRE(group.change(change_kind::add, victim, group.at(victim).status().disk).has_value());
  REQUIRE(group.change(change_kind::promote, victim).has_value());
  CHECK(group.agree(last));
  CHECK(group.has(victim, member_role::voter));
}
