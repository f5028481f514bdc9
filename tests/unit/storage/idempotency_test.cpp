#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

idempotency asked(const std::string& key, int body = 1, const std::string& principal = "ann") {
  idempotency x;
  x.principal = principal;
  x.key = key;
  x.body_hash[0] = static_cast<std::byte>(body);
  return x;
}

create_vm wish(test_cluster& cluster, uint64_t n) {
  return {test_id<vm_id>(n),
          "vm-" + std::to_string(n),
          {1, 1, "tick", "", restart_policy::never, {}},
          cluster.node_1,
          cluster.next_operation()};
}

} // namespace

TEST_CASE("a call that is repeated with its key gets its answer again and does nothing") {
  test_cluster cluster;
  auto first = cluster.run(wish(cluster, 1), asked("k"));
  auto again = cluster.run(wish(cluster, 2), asked("k"));
  CHECK(again.repeated);
  again.repeated = false;
  CHECK(again == first);
  CHECK(cluster.last.changes.empty());
  CHECK(cluster.state.find(test_id<vm_id>(2)) == nullptr);
}

TEST_CASE("a key is refused for another body, and belongs to one principal") {
  test_cluster cluster;
  cluster.run(wish(cluster, 1), asked("k"));
  CHECK(cluster.run(wish(cluster, 2), asked("k", 2)).error == command_errc::key_reused);
  CHECK(cluster.run(wish(cluster, 2), asked("k", 2, "bob")).ok());
}

TEST_CASE("a key works within the batch that brought it") {
  test_cluster cluster;
  const auto& both = cluster.apply(
      {command{wish(cluster, 1), asked("k")}, command{wish(cluster, 2), asked("k")}});
  CHECK_FALSE(both.outcomes[0].repeated);
  CHECK(both.outcomes[1].repeated);
  CHECK(both.answers.size() == 1);
}

TEST_CASE("refusals are not remembered") {
  test_cluster cluster;
  auto impossible = wish(cluster, 1);
  impossible.spec.memory_mib = 1 << 20;
  CHECK(cluster.run(impossible, asked("k")).error == command_errc::no_capacity);
  CHECK(cluster.run(wish(cluster, 1), asked("k")).ok());
  CHECK_FALSE(cluster.last.answers.empty());
}

TEST_CASE("an answer is forgotten after its time") {
  test_cluster cluster;
  cluster.run(wish(cluster, 1), asked("k"));
  cluster.time += std::chrono::hours{24};
  auto later = cluster.run(wish(cluster, 2), asked("k"));
  CHECK(later.ok());
  CHECK_FALSE(later.repeated);
  cluster.time += std::chrono::hours{25};
  cluster.run(barrier{});
  CHECK(cluster.last.expired_answers == std::vector<std::string>{answer_key(asked("k"))});
  CHECK(cluster.state.answers() == 0);
}

TEST_CASE("no more answers are kept than allowed, the oldest go first") {
  retention kept;
  kept.max_answers = 3;
  test_cluster cluster{kept};
  for (uint64_t n = 1; n <= 5; ++n)
    cluster.run(wish(cluster, n), asked(std::to_string(n)));
  CHECK(cluster.state.answers() == 3);
  CHECK(cluster.run(wish(cluster, 5), asked("5")).repeated);
  CHECK_FALSE(cluster.run(wish(cluster, 6), asked("1")).repeated);
}

TEST_CASE("time never goes back in the log") {
  test_cluster cluster;
  auto now = cluster.state.now();
  cluster.time -= std::chrono::hours{1};
  cluster.run(barrier{});
  CHECK(cluster.state.now() == now);
}

TEST_CASE("what has ended is removed when it is old, and the feed says so") {
  test_cluster cluster;
  auto create = cluster.create();
  cluster.request(requested_state::deleted);
  cluster.see(actual_state::gone);
  cluster.time += std::chrono::hours{25};
  cluster.run(barrier{});
  CHECK(cluster.state.find(cluster.vm) == nullptr);
  CHECK(cluster.state.find(create.operation) == nullptr);
  REQUIRE(cluster.last.changes.size() == 3);
  for (const auto& each : cluster.last.changes)
    CHECK(each.removed);
  CHECK(cluster.request(requested_state::running).error == command_errc::unknown_vm);
  CHECK(cluster.create().ok());
}

TEST_CASE("no more ended operations are kept than allowed") {
  retention kept;
  kept.max_ended = 4;
  test_cluster cluster{kept};
  for (uint64_t n = 1; n <= 9; ++n)
    cluster.run(wish(cluster, n));
  size_t operations = 0;
  for (const auto& each : cluster.state.records())
    operations += type_of(each) == record_type::operation;
  CHECK(operations == 4);
}

TEST_CASE("a migration that is over is removed, one that is not stays") {
  test_cluster cluster;
  cluster.started();
  cluster.reserve();
  cluster.decide(migration_decision::abort);
  cluster.time += std::chrono::hours{25};
  cluster.run(barrier{});
  CHECK(cluster.state.find(cluster.move) != nullptr);
  cluster.clean(cluster.node_1);
  cluster.clean(cluster.node_2);
  cluster.time += std::chrono::hours{25};
  cluster.run(barrier{});
  CHECK(cluster.state.find(cluster.move) == nullptr);
}
