#include "lost_vm.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using enum actual_state;

TEST_CASE_FIXTURE(ha_vm, "a source lost before the commit: aborted, restarted elsewhere") {
  auto migrate = reserve();
  lose(node_1);
  CHECK(the_move().phase == migration_phase::aborted);
  CHECK(the_move().source_clean);
  CHECK(the_move().reason == "host node-1, its source, was lost");
  CHECK(became(migrate) == operation_state::failed);
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().fenced);
  CHECK(the_vm().migration.nil());
  CHECK(decide(migration_decision::commit).error == command_errc::already_decided);
  REQUIRE(replace(node_2).ok());
  see(running);
  CHECK(the_vm().actual == running);
  clean(node_2);
  CHECK(the_move().phase == migration_phase::rolled_back);
}

TEST_CASE_FIXTURE(plain_vm, "a source lost before the commit, without ha: aborted, and it waits") {
  reserve();
  lose(node_1);
  CHECK(the_move().phase == migration_phase::aborted);
  CHECK_FALSE(the_move().source_clean);
  CHECK(the_vm().actual == lost);
  CHECK_FALSE(the_vm().fenced);
  SUBCASE("until the operator's word") {
    run(fence_host{node_1});
    CHECK(the_move().source_clean);
    CHECK(replace(node_2).ok());
  }
  SUBCASE("until it returns, and goes on there") {
    renew(node_1);
    clean(node_1);
    see(running);
    CHECK(the_vm().actual == running);
    CHECK(the_vm().host == node_1);
  }
}

TEST_CASE_FIXTURE(ha_vm, "a destination lost before the commit: the guest stays at the source") {
  reserve();
  lose(node_2);
  CHECK(the_move().phase == migration_phase::aborted);
  CHECK(the_move().destination_clean);
  CHECK(the_vm().actual == migrating);
  clean(node_1);
  see(running);
  CHECK(the_vm().actual == running);
  CHECK(the_vm().migration.nil());
  CHECK(the_move().phase == migration_phase::rolled_back);
}

TEST_CASE_FIXTURE(ha_vm, "a destination lost after the commit: never resumed, started elsewhere") {
  run(register_host{host(node_3, "node-3")});
  auto migrate = reserve();
  decide(migration_decision::commit);
  lose(node_2);
  CHECK(the_move().phase == migration_phase::finished);
  CHECK(the_move().destination_clean);
  CHECK(became(migrate) == operation_state::failed);
  CHECK(error_of(migrate) == "host node-2, its destination, was lost after the commit");
  CHECK(decide(migration_decision::return_guest).error == command_errc::already_decided);
  CHECK(the_vm().host == node_2);
  CHECK(the_vm().actual == lost);
  CHECK(replace(node_3).error == command_errc::migration_in_progress);
  clean(node_1); // the paused source is destroyed
  CHECK(the_move().phase == migration_phase::done);
  CHECK(error_of(migrate) == "host node-2, its destination, was lost after the commit");
  REQUIRE(replace(node_3).ok());
  CHECK(the_vm().epoch == epoch{3, 3});
}

TEST_CASE_FIXTURE(ha_vm,
                  "a source lost after the commit: the destination runs it, and that is all") {
  reserve();
  decide(migration_decision::commit);
  lose(node_1);
  CHECK(the_move().phase == migration_phase::committed);
  CHECK(the_move().source_clean);
  CHECK(the_vm().actual != lost);
  see(running);
  CHECK(the_move().phase == migration_phase::done);
  CHECK(the_vm().migration.nil());
  CHECK(the_vm().host == node_2);
}

TEST_CASE_FIXTURE(ha_vm, "a guest that is given back to a lost source is started elsewhere") {
  reserve();
  decide(migration_decision::commit);
  lose(node_1);
  CHECK(decide(migration_decision::return_guest, "it never ran").ok());
  CHECK(the_vm().host == node_1);
  CHECK(the_vm().actual == lost);
  CHECK(the_vm().fenced);
  CHECK(the_vm().migration.nil());
  CHECK(replace(node_2).ok());
  CHECK(the_vm().epoch == epoch{3, 4});
}

TEST_CASE_FIXTURE(ha_vm, "both ends lost after the commit: started on a third host") {
  run(register_host{host(node_3, "node-3")});
  reserve();
  decide(migration_decision::commit);
  lose(node_1);
  lose(node_2);
  CHECK(the_move().phase == migration_phase::done);
  CHECK(the_vm().fenced);
  CHECK(replace(node_3).ok());
}
