#include "evacuated_cluster.hpp"
#include "storage/state/task_moves.hpp"

using namespace novacron;
using enum move_state;

TEST_CASE_FIXTURE(evacuated_cluster, "an evacuation names every VM of a host that is off") {
  fence();
  const auto begun = evacuate();
  REQUIRE(begun.ok());
  CHECK(begun.task == task);
  CHECK(the_task().kind == task_kind::evacuation);
  CHECK(the_task().state == task_state::running);
  CHECK(the_task().moves.size() == 3);
  for (const auto& id : {guarded, plain, idle})
    CHECK(became_of(id) == waiting);
  CHECK(part_of(plain).reason == "host node-1 is fenced; it will be started on another host");
  CHECK(state.find(node_1)->drain == task);
  CHECK(of(node_1) == host_state::fenced);
  CHECK(state.find(node_1)->maintenance == host_state::up);
}

TEST_CASE_FIXTURE(evacuated_cluster, "only a host that is surely off is evacuated") {
  auto up = evacuate();
  CHECK(up.error == command_errc::wrong_state);
  CHECK(up.detail.find("novacron host drain node-1") != std::string::npos);
  lose(node_1);
  auto unreachable = evacuate();
  CHECK(unreachable.error == command_errc::wrong_state);
  CHECK(unreachable.detail.find("novacron host fenced node-1") != std::string::npos);
  CHECK(state.find(task) == nullptr);
  CHECK(run(maintain_host{test_id<node_id>(9), maintenance_wish::evacuate, task, 2, 0ms, {}}).error
        == command_errc::unknown_host);
}

TEST_CASE_FIXTURE(evacuated_cluster, "the word that a host is off begins its evacuation") {
  CHECK(fence(task).task == task);
  CHECK(the_task().kind == task_kind::evacuation);
  CHECK(evacuate(test_id<task_id>(32)).task == task); // which is the one that runs
  SUBCASE("once") {
    CHECK(run(fence_host{node_1, test_id<task_id>(32)}).repeated);
    CHECK(state.find(test_id<task_id>(32)) == nullptr);
  }
  SUBCASE("and not for a host without VMs") {
    lose(node_2);
    CHECK(run(fence_host{node_2, test_id<task_id>(32)}).ok());
    CHECK(state.find(test_id<task_id>(32)) == nullptr);
  }
}

TEST_CASE_FIXTURE(evacuated_cluster, "a log of an older version begins none by itself") {
  version = 5;
  fence(task);
  CHECK(of(node_1) == host_state::fenced);
  CHECK(state.find(task) == nullptr);
}

TEST_CASE_FIXTURE(evacuated_cluster, "what is to run moves while it starts where recovery put it") {
  fence(task);
  REQUIRE(replace(guarded).ok());
  CHECK(became_of(guarded) == moving);
  CHECK(part_of(guarded).to == node_2);
  see(actual_state::running, {}, guarded);
  CHECK(became_of(guarded) == finished);
  CHECK(part_of(guarded).reason.empty());
  // A VM without a restart policy as well: the host is off.
  REQUIRE(replace(plain).ok());
  see(actual_state::running, {}, plain);
  CHECK(became_of(plain) == finished);
  CHECK(the_task().state == task_state::running); // one is left
  REQUIRE(order(idle).ok());
  CHECK(became_of(idle) == finished);
  CHECK(the_task().state == task_state::finished);
  CHECK(the_task().ended == time);
  CHECK(state.find(idle)->host == node_2);
  CHECK(state.find(idle)->actual == actual_state::defined);
  CHECK(of(node_1) == host_state::fenced);
}

TEST_CASE_FIXTURE(evacuated_cluster, "what finds no room waits, and says what is missing") {
  fence(task);
  REQUIRE(replace(guarded, {}, "node-2 has 64 MiB free").ok());
  CHECK(became_of(guarded) == waiting);
  CHECK(part_of(guarded).reason.ends_with("node-2 has 64 MiB free"));
  REQUIRE(run(note_move{task, idle, 0, "no host can take it"}).ok());
  CHECK(part_of(idle).reason == "no host can take it");
}

TEST_CASE_FIXTURE(evacuated_cluster, "a guest that can't start where it was placed has failed") {
  fence(task);
  REQUIRE(replace(plain).ok());
  see(actual_state::failed, "no such kernel", plain);
  CHECK(became_of(plain) == failed);
  CHECK(part_of(plain).reason == "no such kernel");
  // One that its policy starts again moves until that is given up.
  REQUIRE(replace(guarded).ok());
  see(actual_state::failed, "no such kernel", guarded);
  REQUIRE(state.find(guarded)->restarts.due != log_time{});
  CHECK(became_of(guarded) == moving);
  pass(2s);
  CHECK(state.find(guarded)->actual == actual_state::starting);
  see(actual_state::running, {}, guarded);
  CHECK(became_of(guarded) == finished);
  REQUIRE(order(idle).ok());
  CHECK(the_task().state == task_state::failed);
}

TEST_CASE_FIXTURE(evacuated_cluster, "one that had failed is placed, and not started") {
  see(actual_state::failed, "the guest crashed", plain);
  fence(task);
  REQUIRE(order(plain).ok());
  CHECK(state.find(plain)->host == node_2);
  CHECK(state.find(plain)->actual == actual_state::failed);
  CHECK(became_of(plain) == finished);
  pass(10min);
  CHECK(state.find(plain)->actual == actual_state::failed);
}

TEST_CASE_FIXTURE(evacuated_cluster, "what became of a VM counts no more once it was evacuated") {
  fence(task);
  REQUIRE(replace(guarded).ok());
  see(actual_state::running, {}, guarded);
  see(actual_state::failed, "the guest crashed", guarded); // it will be started again
  CHECK(became_of(guarded) == finished);
  request(requested_state::deleted, idle);
  CHECK(became_of(idle) == finished);
  CHECK(part_of(idle).reason == "it was deleted");
}

TEST_CASE_FIXTURE(evacuated_cluster, "the task places no VM that is recovery's, or that has left") {
  fence(task);
  CHECK(order(plain).error == command_errc::revision_mismatch);
  CHECK(state.find(plain)->host == node_1);
  const command twice{move_vm{task, idle, 0, node_2, move}, {}};
  const auto& done = apply({twice, twice});
  CHECK(done.outcomes.at(0).ok());
  CHECK(done.outcomes.at(1).error == command_errc::revision_mismatch);
}

TEST_CASE_FIXTURE(evacuated_cluster, "what starts elsewhere keeps nothing from being placed") {
  fence(task);
  REQUIRE(replace(guarded).ok());
  REQUIRE(replace(plain).ok());
  CHECK(became_of(guarded) == moving);
  CHECK(became_of(plain) == moving);
  CHECK(order(idle).ok());
  CHECK(became_of(idle) == finished);
}

TEST_CASE_FIXTURE(evacuated_cluster, "a task has no more VMs than its record can hold") {
  auto large = host(node_1, "node-1");
  large.vcpus = 10'000;
  large.memory_mib = 100'000;
  run(register_host{large});
  for (uint64_t n = 0; n < most_task_vms; ++n)
    REQUIRE(create(test_id<vm_id>(1'000 + n), "vm-" + std::to_string(n), node_1, 1).ok());
  SUBCASE("of a host that is up") {
    const auto refused = drain();
    CHECK(refused.error == command_errc::wrong_state);
    CHECK(refused.detail.find("a task holds 4096") != std::string::npos);
    version = evacuations_since - 1; // as those did that know no bound
    CHECK(drain().ok());
  }
  SUBCASE("of one that is off") {
    CHECK(fence(task).ok());
    CHECK(!state.find(task));
    CHECK(evacuate().error == command_errc::wrong_state);
  }
}

TEST_CASE_FIXTURE(evacuated_cluster, "a VM that comes back to the host in between is its, too") {
  request(requested_state::deleted, plain);
  see(actual_state::gone, {}, plain);
  run(reserve_migration{move, guarded, node_2, 0, {}});
  decide(migration_decision::commit);
  fence(task);
  REQUIRE(the_task().moves.size() == 1);
  decide(migration_decision::return_guest, "it never ran");
  REQUIRE(the_task().moves.size() == 2);
  CHECK(became_of(guarded) == waiting);
  REQUIRE(the_move().source_clean);
}

// -- the host's return ---------------------------------------------------------------

TEST_CASE_FIXTURE(evacuated_cluster, "the return of its host ends an evacuation") {
  fence(task);
  REQUIRE(replace(guarded).ok());
  SUBCASE("who hasn't been placed elsewhere stays there") {
    renew(node_1);
    CHECK(the_task().state == task_state::finished);
    CHECK(part_of(plain).reason == "its host is back, and it stays there");
    CHECK(part_of(guarded).reason.empty());
    CHECK(part_of(guarded).to == node_2);
    CHECK(order(idle).error == command_errc::revision_mismatch);
    CHECK(state.find(plain)->actual == actual_state::starting);
    CHECK(state.find(plain)->host == node_1);
    CHECK(state.find(idle)->host == node_1);
    CHECK(state.find(guarded)->host == node_2);
    // Lost again, it is another evacuation.
    CHECK(fence(test_id<task_id>(32)).task == test_id<task_id>(32));
    CHECK(state.find(test_id<task_id>(32))->moves.size() == 2);
  }
  SUBCASE("nothing is moved by an order in the very entry of its return") {
    const auto& done
        = apply({{renew_lease{node_1, boot, 10s}, {}}, {move_vm{task, idle, 0, node_2, move}, {}}});
    CHECK(done.outcomes.at(1).error == command_errc::revision_mismatch);
    CHECK(state.find(idle)->host == node_1);
  }
  SUBCASE("what has failed has failed") {
    REQUIRE(replace(plain).ok());
    see(actual_state::failed, "no such kernel", plain);
    renew(node_1);
    CHECK(became_of(plain) == failed);
    CHECK(the_task().state == task_state::failed);
  }
}

// -- beside other tasks --------------------------------------------------------------

TEST_CASE_FIXTURE(evacuated_cluster, "of a drain and an evacuation of one host the later goes on") {
  const auto later = test_id<task_id>(32);
  SUBCASE("the host was lost while it was drained") {
    drain();
    CHECK(fence(later).task.nil()); // the drain goes on, and ends as the VMs are placed elsewhere
    CHECK(state.find(later) == nullptr);
    CHECK(the_task().state == task_state::running);
    CHECK(evacuate(later).task == later);
    CHECK(the_task().state == task_state::cancelled);
    CHECK(state.find(later)->state == task_state::running);
    CHECK(state.find(node_1)->maintenance == host_state::cordoned);
  }
  SUBCASE("it is to be drained while it is evacuated") {
    fence(task);
    maintain_host wish{node_1, maintenance_wish::drain, later, 2, 0ms, deadline_policy::leave};
    CHECK(run(wish).task == later);
    CHECK(the_task().state == task_state::cancelled);
    CHECK(state.find(node_1)->drain == later);
  }
  CHECK(state.find(node_1)->drain == later);
}

TEST_CASE_FIXTURE(evacuated_cluster, "uncordoning a host leaves its evacuation alone") {
  wish(maintenance_wish::cordon);
  fence(task);
  CHECK(wish(maintenance_wish::uncordon).ok());
  CHECK(the_task().state == task_state::running);
  CHECK(evacuate(test_id<task_id>(32)).task == task);
  CHECK(run(cancel_task{task}).ok());
  CHECK(the_task().state == task_state::cancelled);
  CHECK(order(idle).error == command_errc::revision_mismatch);
  CHECK(evacuate(test_id<task_id>(32)).task == test_id<task_id>(32));
}

TEST_CASE_FIXTURE(evacuated_cluster, "an evacuation that is loaded again goes on where it was") {
  fence(task);
  cluster_state again;
  for (const auto& record : state.records())
    again.load(record);
  for (const auto& lease : state.leases())
    again.load(lease);
  again.loaded(index, time);
  state = std::move(again);
  for (const auto& id : {guarded, plain}) {
    REQUIRE(replace(id).ok());
    see(actual_state::running, {}, id);
  }
  REQUIRE(order(idle).ok());
  CHECK(the_task().state == task_state::finished);
}
