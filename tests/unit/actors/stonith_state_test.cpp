#include "actors/stonith/stonith_state.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

using time_point = stonith_state::time_point;
using effects = stonith_state::effects;

const node_id lost{{0, 1}};
const vm_id vm{{0, 7}};

/// A moment of the test, in seconds.
time_point at(int seconds) {
  return time_point{} + 1h + std::chrono::seconds{seconds};
}

host_record host(host_state state, uint64_t revision, uint64_t lease = 42, node_id id = lost) {
  host_record out;
  out.id = id;
  out.name = "node-" + std::to_string(id.value.low);
  out.state = state;
  out.lost_lease = state == host_state::unreachable ? lease : 0;
  out.revision = revision;
  return out;
}

vm_record guest(actual_state actual, bool fenced, vm_id id = vm, node_id where = lost) {
  vm_record out;
  out.id = id;
  out.host = where;
  out.actual = actual;
  out.fenced = fenced;
  return out;
}

stonith_config config() {
  stonith_config out;
  out.after = 30s;
  out.pause = 5s;
  out.longest_pause = 60s;
  return out;
}

/// A host was lost at second 0, and one of its VMs waits for proof.
struct one_loss {
  one_loss() {
    state.put(host(host_state::unreachable, 5), at(0));
    state.put(guest(actual_state::lost, false), at(0));
  }

  stonith_state state{config()};
  const effects run{run_command{lost, "node-1"}};
  const effects say{say_fenced{lost}};
};

} // namespace

TEST_CASE_FIXTURE(one_loss, "the command is run once, a while after the host was lost") {
  CHECK(state.tick(at(29)).empty());
  CHECK(state.tick(at(30)) == run);
  CHECK(state.tick(at(3'000)).empty());
}

TEST_CASE("a host that can be reached, or was fenced, or whose VMs all stopped, is left alone") {
  stonith_state state{config()};
  state.put(guest(actual_state::lost, false), at(0));
  for (auto each : {host_state::joining, host_state::up, host_state::cordoned, host_state::draining,
                    host_state::drained, host_state::fenced, host_state::gone}) {
    state.put(host(each, 5), at(0));
    CHECK(state.tick(at(100)).empty());
  }
  state.put(host(host_state::unreachable, 6), at(0));
  for (const auto& each : {guest(actual_state::lost, true), guest(actual_state::running, false),
                           guest(actual_state::failed, false)}) {
    state.put(each, at(0));
    CHECK(state.tick(at(100)).empty());
  }
}

TEST_CASE_FIXTURE(one_loss, "status 0 is the word that the host is off, once") {
  REQUIRE(state.tick(at(30)) == run);
  CHECK(state.ended(lost, true, at(31)));
  CHECK(state.tick(at(31)) == say);
  CHECK(state.tick(at(32)).empty());
  state.answered(lost, at(33));
  CHECK(state.tick(at(34)).empty()); // though the feed doesn't say so yet
  state.put(host(host_state::fenced, 8), at(33));
  CHECK(state.tick(at(1'000)).empty());
}

TEST_CASE_FIXTURE(one_loss, "a run that failed is followed by another, ever later") {
  int now = 30;
  for (int pause : {5, 10, 20, 40, 60, 60}) {
    REQUIRE(state.tick(at(now)) == run);
    CHECK_FALSE(state.ended(lost, false, at(now)));
    CHECK(state.tick(at(now + pause - 1)).empty());
    now += pause;
  }
}

TEST_CASE_FIXTURE(one_loss, "a word that nobody took is said again, without another run") {
  REQUIRE(state.tick(at(30)) == run);
  REQUIRE(state.ended(lost, true, at(31)));
  REQUIRE(state.tick(at(31)) == say);
  state.answered(lost, at(39));
  CHECK(state.tick(at(43)).empty());
  CHECK(state.tick(at(44)) == say);
}

TEST_CASE_FIXTURE(one_loss,
                  "a host that is back ends its run, and what the run says doesn't count") {
  REQUIRE(state.tick(at(30)) == run);
  state.put(host(host_state::up, 6), at(31));
  CHECK(state.tick(at(31)) == effects{end_command{lost}});
  CHECK(state.tick(at(32)).empty());
  CHECK_FALSE(state.ended(lost, true, at(32)));
  CHECK(state.tick(at(1'000)).empty());
}

TEST_CASE_FIXTURE(one_loss, "what was run for one loss says nothing of the next") {
  REQUIRE(state.tick(at(30)) == run);
  SUBCASE("it was back in between") {
    state.put(host(host_state::up, 6), at(31));
    state.put(host(host_state::unreachable, 7, 43), at(31));
  }
  SUBCASE("nobody told us that it was") {
    state.put(host(host_state::unreachable, 7, 43), at(31));
  }
  CHECK(state.tick(at(31)) == effects{end_command{lost}});
  CHECK_FALSE(state.ended(lost, true, at(31)));
  CHECK(state.tick(at(60)).empty());
  CHECK(state.tick(at(61)) == run);
}

TEST_CASE_FIXTURE(one_loss, "a word that was to be said is dropped with the loss that it was of") {
  REQUIRE(state.tick(at(30)) == run);
  REQUIRE(state.ended(lost, true, at(31)));
  state.put(host(host_state::unreachable, 7, 43), at(31));
  CHECK(state.tick(at(60)).empty());
  CHECK(state.tick(at(61)) == run);
}

TEST_CASE_FIXTURE(one_loss,
                  "a change of the host's record that is no other loss begins nothing anew") {
  state.put(host(host_state::unreachable, 6), at(20));
  CHECK(state.tick(at(30)) == run);
}

TEST_CASE_FIXTURE(one_loss, "an older record doesn't undo a later one") {
  state.put(host(host_state::up, 4), at(1));
  CHECK(state.tick(at(30)) == run);
}

TEST_CASE_FIXTURE(one_loss, "records that are gone are forgotten") {
  SUBCASE("the VM") {
    state.remove(guest(actual_state::lost, false));
  }
  SUBCASE("the host") {
    state.remove(host(host_state::unreachable, 5));
  }
  SUBCASE("the VM, as a listing shows") {
    state.keep_only({{record_type::host, lost.value}});
  }
  SUBCASE("the host, as a listing shows") {
    state.keep_only({{record_type::vm, vm.value}});
  }
  CHECK(state.tick(at(1'000)).empty());
}

TEST_CASE("no more than so many runs at once") {
  stonith_state state{config()};
  for (uint64_t i = 1; i <= 6; ++i) {
    const node_id id{{0, i}};
    state.put(host(host_state::unreachable, 5, 42, id), at(0));
    state.put(guest(actual_state::lost, false, {{0, 100 + i}}, id), at(0));
  }
  CHECK(state.tick(at(30)).size() == 4);
  CHECK(state.tick(at(31)).empty());
  state.ended({{0, 1}}, false, at(31));
  CHECK(state.tick(at(31)) == effects{run_command{{{0, 5}}, "node-5"}});
}

TEST_CASE("an end or an answer that nobody waits for changes nothing") {
  stonith_state state{config()};
  CHECK_FALSE(state.ended(lost, true, at(0)));
  state.answered(lost, at(0));
  CHECK(state.tick(at(100)).empty());
}
