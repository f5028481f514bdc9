#include "drained_cluster.hpp"

using namespace novacron;
using namespace std::chrono_literals;
using enum migration_phase;
using enum actual_state;

namespace {

constexpr auto node_3 = test_id<node_id>(3);

migration_id move_of(uint64_t n) {
  return test_id<migration_id>(200 + n);
}

vm_id guest(uint64_t n) {
  return test_id<vm_id>(50 + n);
}

/// Three hosts that have one migration at a time, and guests 1, 2, 3 on node-1.
struct busy_cluster : drained_cluster {
  busy_cluster() {
    add_host(node_1, "node-1");
    add_host(node_2, "node-2");
    add_host(node_3, "node-3");
    for (uint64_t n = 1; n <= 3; ++n)
      runs(guest(n), "guest-" + std::to_string(n));
  }

  void add_host(node_id id, const std::string& name, const std::string& site = {}) {
    auto x = host(id, name);
    x.migrations_at_once = 1;
    x.migrations_between_sites = 1;
    if (!site.empty())
      x.labels = {{"site", site}};
    REQUIRE(run(register_host{x}).ok());
  }

  command_outcome ask(uint64_t n, node_id to = node_2,
                      migration_priority priority = migration_priority::normal) {
    reserve_migration x{move_of(n), guest(n), to, 0, next_operation()};
    x.terms.priority = priority;
    return run(x);
  }

  migration_phase phase(uint64_t n) const { return state.find(move_of(n))->phase; }
  const migration_record& migration(uint64_t n) const { return *state.find(move_of(n)); }

  void ends_well(uint64_t n) {
    const auto by = move_of(n);
    const auto to = migration(n).to;
    const auto from = migration(n).from;
    REQUIRE(run(decide_migration{by, migration(n).epoch, migration_decision::commit, {}}).ok());
    see_on(to, state.find(guest(n))->epoch, running, {}, guest(n));
    clean(from, {}, by);
    CHECK(phase(n) == done);
  }

  command_outcome cancel(uint64_t n) {
    return run(
        decide_migration{move_of(n), migration(n).epoch, migration_decision::abort, "cancelled"});
  }
};

} // namespace

TEST_CASE_FIXTURE(busy_cluster,
                  "a migration whose host has enough to do waits, and its guest runs") {
  CHECK(ask(1).ok());
  const auto waits = ask(2);
  REQUIRE(waits.ok());
  CHECK(phase(1) == reserved);
  CHECK(phase(2) == queued);
  const auto& waiting = *state.find(guest(2));
  CHECK(waiting.actual == running);
  CHECK(waiting.migration.nil());
  CHECK(became(waits) == operation_state::running);
  CHECK(state.load_of(node_2).memory_mib == 128); // it has its place already
  CHECK(ask(2).error == command_errc::migration_in_progress);
}

TEST_CASE_FIXTURE(busy_cluster, "a migration that waits concerns no host, and begins for both") {
  ask(1);
  ask(2);
  const auto& asked = last;
  for (size_t i = 0; i < asked.changes.size(); ++i)
    CHECK(asked.audience[i].empty());
  run(decide_migration{move_of(1), migration(1).epoch, migration_decision::commit, {}});
  see_on(node_2, state.find(guest(1))->epoch, running, {}, guest(1));
  REQUIRE(phase(2) == reserved);
  CHECK(migration(2).begun == state.now());
  CHECK(state.find(guest(2))->migration == move_of(2));
  for (size_t i = 0; i < last.changes.size(); ++i)
    if (std::holds_alternative<migration_record>(last.changes[i].record))
      CHECK(last.audience[i] == std::vector<node_id>{node_1, node_2});
}

TEST_CASE_FIXTURE(busy_cluster,
                  "those that wait begin one after the other, by priority, then age") {
  ask(1);
  ask(2, node_3);
  ask(3, node_2, migration_priority::high);
  ends_well(1);
  CHECK(phase(2) == queued);
  CHECK(phase(3) == reserved);
  ends_well(3);
  CHECK(phase(2) == reserved);
}

TEST_CASE_FIXTURE(busy_cluster, "a migration between other hosts doesn't wait") {
  ask(1);
  ask(2);
  create(guest(4), "guest-4", node_3, 64);
  request(requested_state::running, guest(4));
  see(running, {}, guest(4));
  const auto node_4 = test_id<node_id>(4);
  add_host(node_4, "node-4");
  CHECK(ask(4, node_4).ok());
  CHECK(phase(4) == reserved);
}

TEST_CASE_FIXTURE(busy_cluster, "who has waited for long isn't overtaken any more") {
  // guest-2 needs node-1 and node-3; node-3 alone is free while node-1 is busy.
  create(guest(4), "guest-4", node_2, 64);
  request(requested_state::running, guest(4));
  see(running, {}, guest(4));
  const auto node_4 = test_id<node_id>(4);
  add_host(node_4, "node-4");
  ask(1, node_4);
  ask(2, node_3);
  SUBCASE("before, it is") {
    CHECK(ask(4, node_3).ok());
    CHECK(phase(4) == reserved);
  }
  SUBCASE("then no more") {
    pass(patience_in_queue);
    CHECK(ask(4, node_3).ok());
    CHECK(phase(4) == queued);
    ends_well(1);
    CHECK(phase(2) == reserved);
    CHECK(phase(4) == queued);
    ends_well(2);
    CHECK(phase(4) == reserved);
  }
}

TEST_CASE_FIXTURE(busy_cluster, "the link between two sites is a line of its own") {
  const auto node_4 = test_id<node_id>(4);
  add_host(node_1, "node-1", "east");
  add_host(node_2, "node-2", "west");
  add_host(node_3, "node-3", "east");
  add_host(node_4, "node-4", "west");
  create(guest(4), "guest-4", node_3, 64);
  request(requested_state::running, guest(4));
  see(running, {}, guest(4));
  ask(1, node_2);
  ask(4, node_4);
  CHECK(phase(4) == queued);
  ends_well(1);
  CHECK(phase(4) == reserved);
}

TEST_CASE_FIXTURE(busy_cluster, "what waits is cancelled at once, and can't be committed") {
  ask(1);
  const auto waits = ask(2);
  CHECK(run(decide_migration{move_of(2), migration(2).epoch, migration_decision::commit, {}}).error
        == command_errc::wrong_state);
  const auto cancelled = cancel(2);
  REQUIRE(cancelled.ok());
  CHECK(phase(2) == rolled_back);
  CHECK(migration(2).over());
  CHECK(migration(2).reason == "cancelled");
  CHECK(became(waits) == operation_state::failed);
  CHECK(error_of(waits) == "it never began: cancelled");
  CHECK(state.find(guest(2))->actual == running);
  CHECK(state.load_of(node_2).memory_mib == 64);
  CHECK(cancel(2).repeated);
  ends_well(1);
  CHECK(phase(2) == rolled_back);
}

TEST_CASE_FIXTURE(busy_cluster, "a guest that is stopped, paused, deleted or ends waits no more") {
  ask(1);
  ask(2);
  SUBCASE("stopped") {
    CHECK(request(requested_state::stopped, guest(2)).ok());
    CHECK(state.find(guest(2))->actual == stopping);
  }
  SUBCASE("paused") {
    CHECK(request(requested_state::paused, guest(2)).ok());
  }
  SUBCASE("deleted") {
    CHECK(request(requested_state::deleted, guest(2)).ok());
  }
  SUBCASE("ended") {
    see(failed, "it crashed", guest(2));
  }
  CHECK(phase(2) == rolled_back);
}

TEST_CASE_FIXTURE(busy_cluster, "a guest that was started anew isn't the one that waits") {
  ask(1);
  ask(2);
  // All in one entry of the log: at its end the VM is wanted, and runs where it was.
  const auto before = state.find(guest(2))->epoch;
  const auto now = epoch{before.timeline, before.number + 1};
  auto report = [&](epoch of, actual_state what) {
    return command{host_report{node_1, boot, ++sequence, {{guest(2), of, what, {}}}, {}}, {}};
  };
  auto wish = [&](requested_state what) {
    return command{request_state{guest(2), what, 0, next_operation()}, {}};
  };
  apply({wish(requested_state::stopped), report(before, defined), wish(requested_state::running),
         report(now, running)});
  REQUIRE(state.find(guest(2))->epoch == now);
  REQUIRE(state.find(guest(2))->actual == running);
  CHECK(phase(2) == rolled_back);
  CHECK(migration(2).reason == "the guest was started anew");
  ends_well(1);
  CHECK(state.find(guest(2))->actual == running);
}

TEST_CASE_FIXTURE(busy_cluster, "what leads to a host that takes no more VMs waits no more") {
  ask(1, node_3);
  ask(2, node_2);
  SUBCASE("cordoned") {
    wish(maintenance_wish::cordon, node_2);
    CHECK(migration(2).reason.find("cordoned") != std::string::npos);
  }
  SUBCASE("lost") {
    lose(node_2);
  }
  SUBCASE("the source is lost") {
    lose(node_1);
  }
  CHECK(phase(2) == rolled_back);
}

TEST_CASE_FIXTURE(busy_cluster, "where its host has changed meanwhile a migration doesn't begin") {
  ask(1);
  ask(2);
  auto x = host(node_2, "node-2");
  x.migrations_at_once = 1;
  x.images = {};
  run(register_host{x});
  CHECK(phase(2) == queued);
  ends_well(1);
  CHECK(phase(2) == rolled_back);
  CHECK(migration(2).reason.find("has no image") != std::string::npos);
}

TEST_CASE_FIXTURE(busy_cluster, "its own place isn't in the way of a migration that begins") {
  auto x = host(node_2, "node-2");
  x.migrations_at_once = 1;
  x.memory_mib = 128;
  run(register_host{x});
  ask(1);
  ask(2);
  CHECK(ask(3).error == command_errc::no_capacity);
  ends_well(1);
  CHECK(phase(2) == reserved);
}

TEST_CASE_FIXTURE(busy_cluster, "an aborted migration makes room at once, whoever cleans up when") {
  ask(1);
  ask(2);
  cancel(1);
  CHECK(phase(1) == aborted);
  CHECK(phase(2) == reserved);
}

TEST_CASE_FIXTURE(busy_cluster, "before cluster version 7 nothing waits") {
  version = 6;
  ask(1);
  ask(2);
  CHECK(phase(2) == reserved);
  CHECK(migration(2).begun == log_time{});
  auto x = host(node_3, "node-3");
  x.migrations_at_once = 9;
  run(register_host{x});
  CHECK(state.find(node_3)->migrations_at_once == 4);
}

TEST_CASE_FIXTURE(busy_cluster, "a queue that is loaded goes on") {
  ask(1);
  ask(2);
  cluster_state again;
  for (const auto& each : state.records())
    again.load(each);
  again.loaded(state.revision(), state.now());
  state = again;
  ends_well(1);
  CHECK(phase(2) == reserved);
}

TEST_CASE_FIXTURE(busy_cluster, "a drain's migrations wait, too, and count as moving") {
  drain(0ms, deadline_policy::leave, 2);
  REQUIRE(order(guest(1), 0, move_of(1)).ok());
  REQUIRE(order(guest(2), 0, move_of(2)).ok());
  CHECK(phase(2) == queued);
  CHECK(part_of(guest(2)).state == move_state::moving);
  CHECK(part_of(guest(2)).migration == move_of(2));
  CHECK(order(guest(3), 0, move_of(3)).error == command_errc::migration_in_progress);
  ends_well(1);
  CHECK(phase(2) == reserved);
  CHECK(part_of(guest(2)).state == move_state::moving);
  CHECK(part_of(guest(2)).reason.empty());
  SUBCASE("to the end") {
    ends_well(2);
    CHECK(part_of(guest(2)).state == move_state::finished);
  }
  SUBCASE("cancelled, what hasn't begun doesn't begin") {
    REQUIRE(order(guest(3), 0, move_of(3)).ok());
    run(cancel_task{task});
    CHECK(phase(2) == reserved);
    CHECK(phase(3) == rolled_back);
  }
}

TEST_CASE_FIXTURE(busy_cluster, "what waits at a drain's deadline is left or stopped") {
  drain(60s, deadline_policy::stop, 2);
  order(guest(1), 0, move_of(1));
  order(guest(2), 0, move_of(2));
  pass(60s);
  CHECK(phase(1) == reserved);
  CHECK(phase(2) == rolled_back);
  CHECK(state.find(guest(2))->requested == requested_state::stopped);
}

TEST_CASE_FIXTURE(busy_cluster, "a drain waits for a migration that somebody has asked for") {
  ask(1, node_3);
  ask(2, node_3);
  drain();
  CHECK(part_of(guest(2)).state == move_state::moving);
  run(cancel_task{task});
  CHECK(phase(2) == queued); // it wasn't the drain's
}

TEST_CASE_FIXTURE(busy_cluster, "a rebalance goes behind what is needed") {
  ask(1);
  start_rebalance plan;
  plan.task = task;
  plan.moves = {{guest(2), node_2}};
  REQUIRE(run(plan).ok());
  REQUIRE(order(guest(2), 0, move_of(2)).ok());
  CHECK(migration(2).terms.priority == migration_priority::low);
  ask(3);
  ends_well(1);
  CHECK(phase(2) == queued);
  CHECK(phase(3) == reserved);
}

TEST_CASE("so many wait, and no more") {
  test_cluster cluster;
  auto wide = test_cluster::host(cluster.node_1, "node-1");
  wide.migrations_at_once = 1;
  wide.memory_mib = 1 << 20;
  wide.vcpus = 1 << 16;
  cluster.run(register_host{wide});
  wide.id = cluster.node_2;
  wide.name = "node-2";
  cluster.run(register_host{wide});
  std::vector<command> created;
  std::vector<command> started;
  std::vector<command> asked;
  host_report seen{cluster.node_1, cluster.boot, 1, {}, {}};
  const uint64_t all = most_queued_migrations + 2; // one begins
  for (uint64_t n = 1; n <= all; ++n) {
    const auto id = test_id<vm_id>(10'000 + n);
    vm_spec spec;
    spec.memory_mib = 1;
    spec.image = "tick";
    created.push_back({create_vm{id, "vm-" + std::to_string(n), spec, cluster.node_1, {}}, {}});
    started.push_back({request_state{id, requested_state::running, 0, {}}, {}});
    asked.push_back({reserve_migration{test_id<migration_id>(n), id, cluster.node_2, 0, {}}, {}});
    seen.vms.push_back({id, {cluster.timeline, 1}, running, {}});
  }
  cluster.apply(created);
  cluster.apply(started);
  REQUIRE(cluster.run(seen).ok());
  const auto outcomes = cluster.apply(asked).outcomes;
  CHECK(outcomes.front().ok());
  CHECK(outcomes[all - 2].ok());
  CHECK(outcomes[all - 1].error == command_errc::overloaded);
  CHECK(outcomes[all - 1].detail.find("4096 migrations wait") != std::string::npos);
}
