#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using enum requested_state;

TEST_CASE("a start gives a new permission and runs until the guest is seen") {
  test_cluster cluster;
  cluster.create();
  auto start = cluster.request(running);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
  CHECK(cluster.the_vm().actual == actual_state::starting);
  CHECK(cluster.the_vm().operation == start.operation);
  CHECK(cluster.became(start) == operation_state::running);
  cluster.see(actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::running);
  CHECK(cluster.the_vm().seen_epoch == epoch{3, 1});
  CHECK(cluster.the_vm().operation.nil());
  CHECK(cluster.became(start) == operation_state::succeeded);
}

TEST_CASE("a start of what starts joins it, and of what runs has ended") {
  test_cluster cluster;
  cluster.create();
  auto first = cluster.request(running);
  auto second = cluster.request(running);
  CHECK(second.operation == first.operation);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
  cluster.see(actual_state::running);
  auto third = cluster.request(running);
  CHECK(cluster.became(third) == operation_state::succeeded);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
}

TEST_CASE("a start that the host cannot carry out fails with its reason") {
  test_cluster cluster;
  cluster.create();
  auto start = cluster.request(running);
  cluster.see(actual_state::failed, "no such disk");
  CHECK(cluster.the_vm().actual == actual_state::failed);
  CHECK(cluster.the_vm().reason == "no such disk");
  CHECK(cluster.became(start) == operation_state::failed);
  CHECK(cluster.error_of(start) == "no such disk");
  cluster.request(running);
  CHECK(cluster.the_vm().epoch == epoch{3, 2});
  CHECK(cluster.the_vm().reason.empty());
}

TEST_CASE("a stop ends when the host says so, at once where nothing runs") {
  test_cluster cluster;
  cluster.create();
  CHECK(cluster.became(cluster.request(stopped)) == operation_state::succeeded);
  cluster.request(running);
  cluster.see(actual_state::running);
  auto stop = cluster.request(stopped);
  CHECK(cluster.the_vm().actual == actual_state::stopping);
  CHECK(cluster.request(stopped).operation == stop.operation);
  CHECK(cluster.became(stop) == operation_state::running);
  cluster.see(actual_state::defined);
  CHECK(cluster.the_vm().actual == actual_state::defined);
  CHECK(cluster.became(stop) == operation_state::succeeded);
}

TEST_CASE("a stop of a failed VM clears the failure") {
  test_cluster cluster;
  cluster.started();
  cluster.see(actual_state::failed, "the guest crashed");
  auto stop = cluster.request(stopped);
  CHECK(cluster.became(stop) == operation_state::succeeded);
  CHECK(cluster.the_vm().actual == actual_state::defined);
  CHECK(cluster.the_vm().reason.empty());
}

TEST_CASE("a wish that contradicts a running one supersedes it") {
  test_cluster cluster;
  cluster.create();
  auto start = cluster.request(running);
  auto stop = cluster.request(stopped);
  CHECK(cluster.error_of(start) == "superseded by stop");
  auto remove = cluster.request(deleted);
  CHECK(cluster.error_of(stop) == "superseded by remove");
  CHECK(cluster.the_vm().operation == remove.operation);
  CHECK(cluster.became(remove) == operation_state::running);
}

TEST_CASE("only a running VM can be paused, and it resumes without a new permission") {
  test_cluster cluster;
  cluster.create();
  CHECK(cluster.request(paused).error == command_errc::wrong_state);
  cluster.request(running);
  cluster.see(actual_state::running);
  auto pause = cluster.request(paused);
  CHECK(cluster.became(pause) == operation_state::running);
  CHECK(cluster.request(paused).operation == pause.operation);
  cluster.see(actual_state::paused);
  CHECK(cluster.became(pause) == operation_state::succeeded);
  CHECK(cluster.became(cluster.request(paused)) == operation_state::succeeded);
  auto resume = cluster.request(running);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
  CHECK(cluster.state.find(resume.operation)->verb == operation_verb::resume);
  CHECK(cluster.became(resume) == operation_state::running);
  cluster.see(actual_state::running);
  CHECK(cluster.became(resume) == operation_state::succeeded);
}

TEST_CASE(
    "what was paused under an earlier permission isn't resumed, but started under a new one") {
  test_cluster cluster;
  cluster.started();
  cluster.reserve();
  cluster.decide(migration_decision::commit);
  cluster.see(actual_state::paused); // at the destination, which then gives it back
  cluster.decide(migration_decision::return_guest);
  REQUIRE(cluster.the_vm().actual == actual_state::paused);
  REQUIRE(cluster.the_vm().epoch == epoch{3, 3});
  auto start = cluster.request(running);
  CHECK(cluster.state.find(start.operation)->verb == operation_verb::start);
  CHECK(cluster.the_vm().epoch == epoch{3, 4});
  CHECK(cluster.the_vm().actual == actual_state::starting);
}

TEST_CASE("a resume before the pause took hold keeps the guest") {
  test_cluster cluster;
  cluster.started();
  auto pause = cluster.request(paused);
  auto resume = cluster.request(running);
  CHECK(cluster.error_of(pause) == "superseded by resume");
  CHECK(cluster.became(resume) == operation_state::succeeded);
  CHECK(cluster.the_vm().epoch == epoch{3, 1});
  CHECK(cluster.the_vm().requested == running);
}

TEST_CASE("a pause of a guest that ends instead fails") {
  test_cluster cluster;
  cluster.started();
  auto pause = cluster.request(paused);
  cluster.see(actual_state::defined);
  CHECK(cluster.the_vm().actual == actual_state::failed);
  CHECK(cluster.error_of(pause) == "the guest ended by itself");
}

TEST_CASE("a start while the old guest still stops gives a new permission") {
  test_cluster cluster;
  cluster.started();
  auto stop = cluster.request(stopped);
  cluster.request(running);
  CHECK(cluster.error_of(stop) == "superseded by start");
  CHECK(cluster.the_vm().epoch == epoch{3, 2});
  cluster.see_on(cluster.node_1, {3, 1}, actual_state::running);
  CHECK(cluster.the_vm().actual == actual_state::starting);
}

TEST_CASE("a delete ends when the host has confirmed that nothing is left") {
  test_cluster cluster;
  cluster.started();
  auto remove = cluster.request(deleted);
  CHECK(cluster.the_vm().actual == actual_state::stopping);
  CHECK(cluster.request(deleted).operation == remove.operation);
  CHECK(cluster.request(running).error == command_errc::vm_deleted);
  cluster.see(actual_state::gone);
  CHECK(cluster.the_vm().actual == actual_state::gone);
  CHECK(cluster.became(remove) == operation_state::succeeded);
  CHECK(cluster.request(running).error == command_errc::vm_deleted);
  CHECK(cluster.request(deleted).error == command_errc::vm_deleted);
  CHECK(cluster.state.load_of(cluster.node_1) == host_load{});
}

TEST_CASE("a change that expects another revision is refused") {
  test_cluster cluster;
  cluster.create();
  auto revision = cluster.the_vm().revision;
  request_state wish{cluster.vm, running, revision + 1, cluster.next_operation()};
  CHECK(cluster.run(wish).error == command_errc::revision_mismatch);
  wish.if_revision = revision;
  CHECK(cluster.run(wish).ok());
}

TEST_CASE("what is asked of an unknown VM is refused") {
  test_cluster cluster;
  for (auto wish : {running, stopped, paused, deleted})
    CHECK(cluster.request(wish).error == command_errc::unknown_vm);
}

TEST_CASE("several commands that touch a record give one change with its final content") {
  test_cluster cluster;
  cluster.create();
  const auto first = cluster.next_operation();
  const auto second = cluster.next_operation();
  cluster.apply({command{request_state{cluster.vm, running, 0, first}, {}},
                 command{request_state{cluster.vm, deleted, 0, second}, {}}});
  REQUIRE(cluster.last.changes.size() == 3);
  CHECK(id_of(cluster.last.changes[0].record) == first.value);
  CHECK(cluster.last.changes[1].record == any_record{cluster.the_vm()});
  CHECK(id_of(cluster.last.changes[2].record) == second.value);
}
