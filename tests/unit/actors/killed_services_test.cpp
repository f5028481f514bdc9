#include "tests/unit/actors/small_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// A cluster in whose view one VM is followed.
struct followed_vm : small_cluster {
  vm_id vm = run_guest(first);

  bool shown(const std::string& state) {
    return becomes([&] {
      auto found = view->vm(vm);
      return found && found->json->find("\"actual\":\"" + state + '"') != std::string::npos;
    });
  }

  /// What is wished for now is carried out, and shown to readers.
  void still_works() {
    request(vm, requested_state::paused);
    CHECK(shown("paused"));
    CHECK(first.guest(vm)->phase == guest_phase::paused);
  }
};

} // namespace

TEST_CASE_FIXTURE(followed_vm,
                  "a killed feed takes its readers' pulls with it; they ask the next") {
  kill("services/feed");
  CHECK(restarts("services/replica") == 0);
  still_works();
}

TEST_CASE_FIXTURE(followed_vm, "a killed view's table answers meanwhile, and its waits end") {
  std::atomic<bool> told = false;
  operation_id wish{random_uuid()};
  insist(request_state{vm, requested_state::paused, 0, wish});
  view->when_operation_ends(wish, view_table::clock::time_point::max(),
                            [&told](wait_end) { told = true; });
  kill("services/view");
  CHECK(view->vm(vm));
  CHECK(becomes([&] { return told.load(); }));
  CHECK(shown("paused"));
}

TEST_CASE_FIXTURE(followed_vm, "a killed frontend loses no wish that is asked again by its key") {
  create_vm wish;
  wish.vm = {random_uuid()};
  wish.name = "once";
  wish.spec.image = "tick";
  wish.operation = {random_uuid()};
  std::atomic<bool> asked = false;
  std::optional<command_outcome> first_answer;
  std::thread caller{[&] {
    asked = true;
    first_answer = propose(wish, "key");
  }};
  REQUIRE(becomes([&] { return asked.load(); }));
  kill("services/frontend");
  caller.join();
  std::optional<command_outcome> second_answer;
  CHECK(becomes([&] {
    auto again = wish;
    again.vm = {random_uuid()};
    again.operation = {random_uuid()};
    second_answer = propose(again, "key");
    return second_answer && second_answer->ok();
  }));
  CHECK(find<vm_record>(second_answer->vm));
  auto third = wish;
  third.vm = {random_uuid()};
  third.operation = {random_uuid()};
  CHECK(propose(third)->error == command_errc::name_taken); // it exists once
  still_works();
}

TEST_CASE_FIXTURE(followed_vm, "a killed scheduler reads the state again, and chooses") {
  kill("services/scheduler");
  create_vm wish;
  wish.vm = {random_uuid()};
  wish.name = "placed";
  wish.spec.image = "tick";
  wish.operation = {random_uuid()};
  insist(wish);
  CHECK(find<vm_record>(wish.vm)->host == second.id); // the emptier one
  still_works();
}

TEST_CASE_FIXTURE(followed_vm,
                  "a killed replica opens its log again, with all that was acknowledged") {
  kill("services/replica");
  CHECK(becomes([&] { return find<vm_record>(vm).has_value(); }));
  CHECK(first.runs(vm));
  still_works();
}
