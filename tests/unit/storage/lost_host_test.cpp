#include "lost_vm.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using enum actual_state;

// -- what is lost --------------------------------------------------------------------

TEST_CASE_FIXTURE(ha_vm, "an ha VM is lost with its host's lease, and its guest surely ended") {
  const auto lease = lose(node_1);
  CHECK(state.find(node_1)->state == host_state::unreachable);
  CHECK(state.find(node_1)->lost_lease == lease);
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().fenced);
  CHECK(the_vm().epoch == epoch{3, 1});
  CHECK(the_vm().reason == "host node-1 is unreachable; it will be started on another host");
}

TEST_CASE_FIXTURE(plain_vm, "of a VM without ha nobody knows whether its guest runs on") {
  lose(node_1);
  CHECK(the_vm().actual == lost);
  CHECK_FALSE(the_vm().fenced);
  CHECK(mentions("novacron host fenced node-1"));
  CHECK(replace(node_2).error == command_errc::wrong_state);
  CHECK(the_vm().host == node_1);
}

TEST_CASE("where nothing ends ha guests, the end of a lease proves nothing") {
  one_vm_runs cluster;
  auto unfenced = test_cluster::host(cluster.node_1, "node-1");
  unfenced.fences = false;
  cluster.run(register_host{unfenced});
  cluster.lose(cluster.node_1);
  CHECK(cluster.the_vm().actual == lost);
  CHECK_FALSE(cluster.the_vm().fenced);
}

TEST_CASE_FIXTURE(ha_vm, "a guest that waited for its restart is restarted elsewhere instead") {
  for (int i = 0; i < 3; ++i) {
    see(failed, "the guest crashed");
    if (i < 2) {
      pass(std::chrono::seconds{2});
      see(running);
    }
  }
  REQUIRE(the_vm().restarts.due > time + std::chrono::seconds{2});
  lose(node_1);
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().fenced);
  CHECK(the_vm().restarts.due == log_time{});
  pass(std::chrono::minutes{5});
  CHECK(the_vm().actual == lost);
}

TEST_CASE_FIXTURE(plain_vm, "what ended for good stays so, and what is stopped stays stopped") {
  see(failed, "the guest crashed");
  auto another = test_id<vm_id>(12);
  create(another, "web-2");
  lose(node_1);
  CHECK(the_vm().actual == failed);
  CHECK(the_vm().reason == "the guest crashed");
  CHECK(state.find(another)->actual == defined);
}

TEST_CASE_FIXTURE(ha_vm, "a paused guest's memory is lost with its host") {
  request(requested_state::paused);
  see(paused);
  lose(node_1);
  CHECK(the_vm().actual == failed);
  CHECK(the_vm().reason == "host node-1 was lost, and the paused guest's memory with it");
  CHECK(replace(node_2).error == command_errc::wrong_state);
  renew(node_1);
  see(failed, "the guest ended by itself"); // as its host finds it
  CHECK(mentions("the paused guest's memory"));
}

TEST_CASE_FIXTURE(ha_vm, "what was to stop, or to go, has done so with its host") {
  SUBCASE("stopped") {
    auto stop = request(requested_state::stopped);
    lose(node_1);
    CHECK(the_vm().actual == defined);
    CHECK(became(stop) == operation_state::succeeded);
  }
  SUBCASE("deleted") {
    auto remove = request(requested_state::deleted);
    lose(node_1);
    CHECK(the_vm().actual == gone);
    CHECK(became(remove) == operation_state::succeeded);
  }
}

TEST_CASE_FIXTURE(ha_vm, "a log of an older version loses no VM") {
  version = 2;
  lose(node_1);
  CHECK(the_vm().actual == running);
  CHECK(state.find(node_1)->state == host_state::unreachable);
  renew(node_1);
  CHECK(state.find(node_1)->state == host_state::up);
}

// -- elsewhere -----------------------------------------------------------------------

TEST_CASE_FIXTURE(ha_vm,
                  "a start that is asked for while it starts elsewhere ends an older resume") {
  request(requested_state::paused);
  see(paused);
  auto resume = request(requested_state::running);
  lose(node_1);
  CHECK(became(resume) == operation_state::running);
  REQUIRE(replace(node_2).ok());
  auto start = request(requested_state::running);
  CHECK(became(resume) == operation_state::failed);
  see(running);
  CHECK(became(start) == operation_state::succeeded);
}

TEST_CASE_FIXTURE(ha_vm, "it gets another host and a new permission, once") {
  auto lease = lose(node_1);
  const replace_vm order{vm, the_vm().epoch, lease, node_2, {}};
  CHECK(run(order).ok());
  CHECK(the_vm().host == node_2);
  CHECK(the_vm().epoch == epoch{3, 2});
  CHECK(the_vm().actual == starting);
  CHECK_FALSE(the_vm().fenced);
  CHECK(the_vm().reason.empty());
  CHECK(state.load_of(node_1).nothing());
  CHECK(state.load_of(node_2).memory_mib == 1024);
  // Both hosts hear of it.
  CHECK(last.audience.at(0) == std::vector{node_1, node_2});
  CHECK(run(order).error == command_errc::stale_epoch);
  CHECK(the_vm().epoch == epoch{3, 2});
  see(running);
  CHECK(the_vm().actual == running);
}

TEST_CASE_FIXTURE(ha_vm, "an order for an earlier loss of the host is refused") {
  auto first = lose(node_1);
  const auto old = the_vm().epoch;
  renew(node_1);
  lose(node_1);
  CHECK(run(replace_vm{vm, old, first, node_2, {}}).error == command_errc::stale_epoch);
  CHECK(run(replace_vm{vm, the_vm().epoch, first, node_2, {}}).error == command_errc::stale_lease);
  CHECK(the_vm().host == node_1);
}

TEST_CASE_FIXTURE(ha_vm, "nothing is placed elsewhere while its host holds a lease") {
  CHECK(replace(node_2).error == command_errc::stale_lease);
  renew(node_1);
  CHECK(replace(node_2).error == command_errc::stale_lease);
  CHECK(the_vm().host == node_1);
}

TEST_CASE_FIXTURE(plain_vm, "a VM that isn't surely ended is placed nowhere, whoever orders it") {
  lose(node_1);
  CHECK(replace(node_2).error == command_errc::wrong_state);
  CHECK(the_vm().host == node_1);
}

TEST_CASE_FIXTURE(ha_vm, "a host that can't take it is refused, and the VM stays lost") {
  lose(node_1);
  SUBCASE("one that isn't there") {
    CHECK(replace(test_id<node_id>(9)).error == command_errc::unknown_host);
  }
  SUBCASE("one that isn't up") {
    lose(node_2);
    CHECK(replace(node_2).error == command_errc::unknown_host);
  }
  SUBCASE("one without room") {
    create(test_id<vm_id>(12), "large", node_2, 4000);
    CHECK(replace(node_2).error == command_errc::no_capacity);
  }
  SUBCASE("one without the image") {
    auto bare = host(node_2, "node-2");
    bare.images.clear();
    run(register_host{bare});
    CHECK(replace(node_2).error == command_errc::wrong_state);
  }
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().host == node_1);
}

TEST_CASE_FIXTURE(ha_vm, "a VM for which there is no host says what is missing, once") {
  lose(node_1);
  auto stays = replace({}, "node-2 has 512 MiB free");
  CHECK(stays.ok());
  CHECK(stays.detail == "node-2 has 512 MiB free");
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().fenced);
  CHECK(mentions("node-2 has 512 MiB free"));
  replace({}, "node-2 has 512 MiB free");
  CHECK(last.changes.empty());
  CHECK(replace(node_2).ok());
  CHECK(the_vm().reason.empty());
}

TEST_CASE_FIXTURE(ha_vm, "whoever stops or deletes a lost VM has it at once") {
  lose(node_1);
  SUBCASE("stop") {
    auto stop = request(requested_state::stopped);
    CHECK(became(stop) == operation_state::succeeded);
    CHECK(the_vm().actual == defined);
  }
  SUBCASE("delete") {
    auto remove = request(requested_state::deleted);
    CHECK(became(remove) == operation_state::succeeded);
    CHECK(the_vm().actual == gone);
  }
  CHECK_FALSE(the_vm().fenced);
  CHECK_FALSE(replace(node_2).ok());
}

TEST_CASE_FIXTURE(ha_vm, "a start of a lost VM waits for the host that it gets") {
  lose(node_1);
  auto start = request(requested_state::running);
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().epoch == epoch{3, 1});
  CHECK(became(start) == operation_state::running);
  replace(node_2);
  see(running);
  CHECK(became(start) == operation_state::succeeded);
}

TEST_CASE_FIXTURE(plain_vm, "a VM that is started while its host is lost is placed elsewhere") {
  request(requested_state::stopped);
  see(defined);
  lose(node_1);
  auto start = request(requested_state::running);
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().fenced); // nothing of it was anywhere
  CHECK(the_vm().epoch == epoch{3, 2});
  REQUIRE(replace(node_2).ok());
  see(running);
  CHECK(became(start) == operation_state::succeeded);
}

TEST_CASE_FIXTURE(plain_vm, "a start of a VM that may run on the lost host permits nothing") {
  lose(node_1);
  request(requested_state::running);
  CHECK(the_vm().epoch == epoch{3, 1});
  CHECK_FALSE(the_vm().fenced);
  request(requested_state::stopped);
  CHECK(the_vm().actual == lost);
  request(requested_state::running);
  CHECK(the_vm().epoch == epoch{3, 1});
  CHECK(replace(node_2).error == command_errc::wrong_state);
}

// -- proof ---------------------------------------------------------------------------

TEST_CASE_FIXTURE(plain_vm, "an operator's word that the host is off lets its VMs go elsewhere") {
  lose(node_1);
  CHECK(run(fence_host{node_1}).ok());
  CHECK(state.find(node_1)->state == host_state::fenced);
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().fenced);
  CHECK(run(fence_host{node_1}).repeated);
  CHECK(replace(node_2).ok());
  CHECK(the_vm().host == node_2);
}

TEST_CASE_FIXTURE(plain_vm, "nobody can say that a host is off which holds a lease") {
  renew(node_1);
  CHECK(run(fence_host{node_1}).error == command_errc::wrong_state);
  CHECK(run(fence_host{test_id<node_id>(9)}).error == command_errc::unknown_host);
  CHECK(state.find(node_1)->state == host_state::up);
  CHECK(the_vm().actual == running);
}

TEST_CASE_FIXTURE(plain_vm, "a lost host's new boot is proof that its guests ended") {
  lose(node_1);
  auto again = host(node_1, "node-1");
  again.boot = test_id<boot_id>(101);
  SUBCASE("and a policy of never leaves it at that") {
    run(register_host{again});
    CHECK(the_vm().actual == failed);
    CHECK(mentions("was started anew"));
  }
  SUBCASE("a VM that was to stop has stopped") {
    auto stop = request(requested_state::stopped);
    CHECK(became(stop) == operation_state::running);
    run(register_host{again});
    CHECK(the_vm().actual == defined);
    CHECK(became(stop) == operation_state::succeeded);
  }
  SUBCASE("the same boot is none") {
    run(register_host{host(node_1, "node-1")});
    CHECK(the_vm().actual == lost);
  }
  CHECK(state.find(node_1)->state == host_state::unreachable); // until it holds a lease
}

TEST_CASE_FIXTURE(plain_vm,
                  "a recovered log knows no boot of before, so none is proof that guests ended") {
  lose(node_1);
  timeline = 4;
  REQUIRE(run(recover_cluster{node_2}).ok());
  run(register_host{host(node_1, "node-1")});
  CHECK(the_vm().actual == lost); // its guest may run on
}

// -- its return ----------------------------------------------------------------------

TEST_CASE_FIXTURE(plain_vm, "the report of a host that returns says what its guests do") {
  lose(node_1);
  CHECK(see(running).error == command_errc::stale_report); // before it holds a lease
  CHECK(the_vm().actual == lost);
  renew(node_1);
  CHECK(state.find(node_1)->state == host_state::up);
  CHECK(state.find(node_1)->lost_lease == 0);
  CHECK(the_vm().actual == lost);
  SUBCASE("it ran on") {
    see(running);
    CHECK(the_vm().actual == running);
    CHECK(the_vm().epoch == epoch{3, 1});
  }
  SUBCASE("it ended") {
    see(failed, "the guest ended by itself");
    CHECK(the_vm().actual == failed);
  }
}

TEST_CASE_FIXTURE(ha_vm, "a host that returns before its VM was placed elsewhere starts it anew") {
  lose(node_1);
  const auto old = the_vm().epoch;
  renew(node_1);
  CHECK(the_vm().actual == starting);
  CHECK(the_vm().host == node_1);
  CHECK(the_vm().epoch == epoch{3, 2});
  CHECK_FALSE(the_vm().fenced);
  see_on(node_1, old, failed, "the guest ended by itself"); // the one that was fenced
  CHECK(the_vm().actual == starting);
  see(running);
  CHECK(the_vm().actual == running);
  CHECK(the_vm().restarts.count == 0); // its host's end is not the guest's
}

TEST_CASE_FIXTURE(ha_vm, "what a host says of a guest that went elsewhere is stale") {
  lose(node_1);
  const auto old = the_vm().epoch;
  replace(node_2);
  see(running);
  renew(node_1);
  see_on(node_1, old, running);
  see_on(node_1, old, failed);
  CHECK(the_vm().actual == running);
  CHECK(the_vm().host == node_2);
}

TEST_CASE_FIXTURE(ha_vm, "to register is not to hold a lease") {
  lose(node_1);
  run(register_host{host(node_1, "node-1")});
  CHECK(state.find(node_1)->state == host_state::unreachable);
  CHECK(the_vm().actual == lost);
  CHECK(create(test_id<vm_id>(12), "web-2").error == command_errc::unknown_host);
}

TEST_CASE_FIXTURE(ha_vm, "a term that was shortened counts only once the longer one is over") {
  using std::chrono::seconds;
  CHECK(run(renew_lease{node_1, boot, seconds{20}}).lease.term == seconds{20});
  CHECK(run(renew_lease{node_1, boot, seconds{5}}).lease.term == seconds{20});
  auto last_one = run(renew_lease{node_1, boot, seconds{30}}).lease;
  CHECK(last_one.term == seconds{30});
  run(expire_lease{node_1, last_one.renewal});
  CHECK(run(renew_lease{node_1, boot, seconds{5}}).lease.term == seconds{5});
}

TEST_CASE_FIXTURE(ha_vm, "a new boot holds no deadline of the earlier one") {
  using std::chrono::seconds;
  run(renew_lease{node_1, boot, seconds{20}});
  auto again = host(node_1, "node-1");
  again.boot = test_id<boot_id>(101);
  run(register_host{again});
  CHECK(run(renew_lease{node_1, again.boot, seconds{5}}).lease.term == seconds{5});
}
