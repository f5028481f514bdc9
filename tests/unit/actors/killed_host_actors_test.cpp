#include "tests/unit/actors/small_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

std::string vm_path(const small_host& host, vm_id vm) {
  return host.name + ":guests/vm-" + to_string(vm);
}

create_vm wish_for(const small_host& where) {
  create_vm wish;
  wish.vm = {random_uuid()};
  wish.name = "vm-" + to_string(wish.vm);
  wish.spec.image = "tick";
  wish.host = where.id;
  wish.operation = {random_uuid()};
  return wish;
}

} // namespace

TEST_CASE_FIXTURE(small_cluster, "a killed VM's actor finds its guest, and goes on driving it") {
  auto vm = run_guest(first);
  kill(vm_path(first, vm));
  CHECK(first.runs(vm));
  request(vm, requested_state::stopped);
  CHECK(becomes([&] { return shows(vm, actual_state::defined); }));
  CHECK(!first.guest(vm));
  CHECK(first.calls->count("create") == 1);
}

TEST_CASE_FIXTURE(small_cluster,
                  "a VM's actor that is killed while its guest is made makes no second") {
  first.calls->hold("create");
  auto wish = wish_for(first);
  insist(wish);
  request(wish.vm, requested_state::running);
  REQUIRE(becomes([&] { return first.calls->holds("create"); }));
  kill(vm_path(first, wish.vm));
  first.calls->release();
  CHECK(becomes([&] { return shows(wish.vm, actual_state::running); }));
  CHECK(first.runs(wish.vm));
  CHECK(first.calls->count("create") <= 2); // the second finds the first one's guest
  CHECK(first.machine->guests().size() == 1);
}

TEST_CASE_FIXTURE(small_cluster, "a guest that ends while its actor is dead is reported") {
  auto vm = run_guest(first);
  first.calls->hold("list"); // nobody sees it before
  REQUIRE(becomes([&] { return first.calls->holds("list"); }));
  first.machine->kill_guest(vm);
  kill(vm_path(first, vm));
  first.calls->release();
  CHECK(becomes([&] { return shows(vm, actual_state::failed); }));
}

TEST_CASE_FIXTURE(small_cluster,
                  "a killed host's actor finds its VMs' actors, and they their host") {
  auto vm = run_guest(first);
  auto granted = find<vm_record>(vm)->epoch;
  kill("node-1:host");
  CHECK(restarts(vm_path(first, vm)) == 0); // it lives on, below another supervisor
  request(vm, requested_state::stopped);
  CHECK(becomes([&] { return shows(vm, actual_state::defined); }));
  request(vm, requested_state::running);
  CHECK(becomes([&] { return first.runs(vm); }));
  CHECK(find<vm_record>(vm)->epoch > granted);
}

TEST_CASE_FIXTURE(small_cluster,
                  "a wish that comes while the host's actor is dead is carried out") {
  auto wish = wish_for(first);
  insist(wish);
  first.calls->hold("create");
  request(wish.vm, requested_state::running);
  REQUIRE(becomes([&] { return first.calls->holds("create"); }));
  kill("node-1:host"); // with all that it had heard
  first.calls->release();
  CHECK(becomes([&] { return shows(wish.vm, actual_state::running); }));
  CHECK(first.calls->count("create") == 1);
}

TEST_CASE_FIXTURE(small_cluster, "the supervisor of the guests' actors may die with all of them") {
  auto vm = run_guest(first);
  kill("node-1:guests");
  request(vm, requested_state::paused);
  CHECK(becomes([&] { return shows(vm, actual_state::paused); }));
  CHECK(first.calls->count("create") == 1);
}
