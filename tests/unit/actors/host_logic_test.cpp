#include "hypervisor/errors.hpp"
#include "one_host.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::host_test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(one_host, "a host registers again and again until the log has accepted it") {
  tick();
  CHECK(taken<propose_registration>().size() == 1);
  tick();
  CHECK(taken<propose_registration>().empty()); // one is out
  take(logic.registered(std::nullopt));
  tick();
  CHECK(taken<propose_registration>().size() == 1);
  CHECK(taken<propose_renewal>().empty());
  take(logic.registered(accepted_at(3)));
  tick();
  CHECK(taken<propose_registration>().empty());
  CHECK(taken<propose_renewal>().size() == 1);
}

TEST_CASE_FIXTURE(one_host, "a renewal that the log refuses makes the host register again") {
  register_it();
  lose_registration();
}

TEST_CASE_FIXTURE(one_host, "a renewal that a busy log doesn't take is sent again, nothing else") {
  register_it();
  tick();
  auto renewals = taken<propose_renewal>();
  REQUIRE(renewals.size() == 1);
  command_outcome refused;
  for (auto why :
       {command_errc::overloaded, command_errc::not_leader, command_errc::unknown_outcome}) {
    refused.error = why;
    take(logic.renewed(renewals[0].attempt, refused, now));
    tick();
    CHECK(taken<propose_registration>().empty());
    pass(2s);
    tick();
    renewals = taken<propose_renewal>();
    REQUIRE(renewals.size() == 1);
  }
}

TEST_CASE_FIXTURE(one_host,
                  "what the log of an older cluster didn't keep is said again, at times") {
  register_it();
  host_record kept;
  kept.id = here;
  kept.boot = {{4, 1}};
  kept.migrations_at_once = 9; // not what we said
  kept.revision = 2;
  lists(2, {kept});
  pass(29s);
  tick();
  CHECK(taken<propose_registration>().empty());
  pass(1s);
  tick();
  CHECK(taken<propose_registration>().size() == 1);
  take(logic.registered(accepted_at(5)));
  pass(30s);
  tick();
  CHECK(taken<propose_registration>().empty()); // of what came of it the feed hasn't told yet
  kept.migrations_at_once = host_record{}.migrations_at_once;
  kept.revision = 5;
  changes(5, kept);
  tick();
  CHECK(taken<propose_registration>().empty());
}

TEST_CASE_FIXTURE(one_host,
                  "a host that the log refuses asks again after a second, not each tick") {
  tick();
  CHECK(taken<propose_registration>().size() == 1);
  command_outcome refused;
  refused.error = command_errc::node_removed;
  take(logic.registered(refused));
  CHECK(taken<note_host>().size() == 1);
  pass(990ms);
  tick();
  CHECK(taken<propose_registration>().empty());
  pass(10ms);
  tick();
  CHECK(taken<propose_registration>().size() == 1);
}

TEST_CASE_FIXTURE(one_host, "guests may start once the fencer has the deadline, not before") {
  register_it();
  lists(5, {wanted(4)});
  REQUIRE(taken<need_vm_actor>().size() == 1);
  take(logic.present(vm, now));
  CHECK(!last_word_allows_start());
  const auto deadline = renew(5);
  CHECK(deadline == now.boot + 10s);
  looks({});
  tick();
  CHECK(taken<tell_vm>().empty());
  take(logic.guarded(deadline, make_failure(hypervisor_errc::unreachable, "no fencer")));
  looks({});
  tick();
  CHECK(taken<tell_vm>().empty());
  take(logic.guarded(deadline, std::nullopt));
  looks({});
  tick();
  CHECK(last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host, "nothing starts before a look has shown what is here") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  taken<tell_vm>();
  hold_lease(5);
  tick();
  CHECK(taken<tell_vm>().empty());
  looks({});
  tick();
  CHECK(last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host,
                  "nothing starts beside a guest of an older epoch; looks follow closely") {
  const vm_id other{{2, 2}};
  auto placed = wanted(4);
  placed.id = other;
  placed.epoch = {1, 3};
  register_it();
  lists(5, {wanted(4), placed});
  take(logic.present(vm, now));
  take(logic.present(other, now));
  taken<tell_vm>();
  hold_lease(5);
  looks({{other, {1, 2}, guest_phase::running, false}});
  tick();
  CHECK(taken<tell_vm>().empty());
  pass(100ms);
  tick();
  CHECK(taken<look_at_guests>().size() == 1);
  looks({{other, {1, 3}, guest_phase::running, false}});
  tick();
  CHECK(last_word_allows_start());
  pass(100ms);
  tick();
  CHECK(taken<look_at_guests>().empty()); // a second will do again
}

TEST_CASE_FIXTURE(one_host, "a state that is older than the first grant starts nothing") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  taken<tell_vm>();
  hold_lease(9);
  looks({});
  tick();
  CHECK(taken<tell_vm>().empty());
  changes(9, wanted(9));
  taken<tell_vm>();
  looks({});
  tick();
  CHECK(last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host, "after its lease was over a host takes its inventory again") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  hold_lease(5);
  looks({});
  tick();
  CHECK(last_word_allows_start());
  pass(10s);
  hold_lease(7);
  CHECK(!last_word_allows_start());
  changes(7, wanted(7)); // as new as the lease; but who knows what is here by now
  CHECK(!last_word_allows_start());
  looks({});
  tick();
  CHECK(last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host, "VMs that wait hear when the lease has ended") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  hold_lease(5);
  looks({});
  tick();
  CHECK(last_word_allows_start());
  pass(10s);
  tick();
  CHECK(!last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host,
                  "the fencer gets its deadline again while nothing is granted, one order at a "
                  "time") {
  register_it();
  hold_lease(5);
  const auto deadline = now.boot + 10s;
  tick();
  taken<propose_renewal>();
  pass(990ms);
  tick();
  CHECK(taken<move_deadline>().empty());
  pass(20ms);
  tick();
  auto again = taken<move_deadline>();
  REQUIRE(again.size() == 1);
  CHECK(again[0].deadline == deadline);
  pass(5s);
  tick();
  CHECK(taken<move_deadline>().empty()); // it was not answered
  take(logic.guarded(deadline, make_failure(hypervisor_errc::unreachable, "it has died")));
  pass(10s);
  tick();
  CHECK(taken<move_deadline>().size() == 1); // also when the deadline has passed
}

TEST_CASE_FIXTURE(one_host,
                  "before its first lease a host looks after its fencer, then gives the deadline") {
  register_it();
  CHECK(taken<keep_fencer>().size() == 1);
  pass(1s);
  tick();
  CHECK(taken<keep_fencer>().empty()); // one order is out
  take(logic.fencer_kept(std::nullopt));
  pass(1s);
  tick();
  CHECK(taken<keep_fencer>().size() == 1);
  take(logic.fencer_kept(make_failure(hypervisor_errc::unreachable, "it doesn't start")));
  hold_lease(5);
  pass(1s);
  tick();
  CHECK(taken<keep_fencer>().empty());
  CHECK(taken<move_deadline>().size() == 1);
}

TEST_CASE_FIXTURE(one_host,
                  "a VM that was told no between two ticks hears when it may start again") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  hold_lease(5);
  looks({});
  tick();
  CHECK(last_word_allows_start());
  pass(9s);
  tick();
  auto renewals = taken<propose_renewal>();
  REQUIRE(renewals.size() == 1);
  pass(2s);
  auto resumed = wanted(6);
  resumed.actual = actual_state::running; // as its host said; but it is paused
  changes(6, resumed);
  CHECK(!last_word_allows_start());
  take(logic.renewed(renewals[0].attempt, accepted_at(7), now));
  auto moves = taken<move_deadline>();
  REQUIRE(!moves.empty());
  take(logic.guarded(moves.back().deadline, std::nullopt));
  changes(7, resumed);
  taken<tell_vm>();
  looks({});
  tick();
  CHECK(last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host, "a VM's actor that died is wanted again, and told when it is there") {
  register_it();
  lists(5, {wanted(4)});
  CHECK(taken<need_vm_actor>().size() == 1);
  changes(6, wanted(6));
  CHECK(taken<need_vm_actor>().empty()); // asked for already
  take(logic.present(vm, now));
  CHECK(taken<tell_vm>().size() == 1);
  take(logic.absent(vm, now));
  CHECK(taken<need_vm_actor>().size() == 1);
}

TEST_CASE_FIXTURE(one_host, "an actor that couldn't be started is wanted again after a moment") {
  register_it();
  lists(5, {wanted(4)});
  CHECK(taken<need_vm_actor>().size() == 1);
  logic.not_started(vm, now);
  pass(90ms);
  tick();
  CHECK(taken<need_vm_actor>().empty());
  pass(10ms);
  tick();
  CHECK(taken<need_vm_actor>().size() == 1);
  pass(100ms);
  tick();
  CHECK(taken<need_vm_actor>().empty());
}

TEST_CASE_FIXTURE(one_host, "a guest is shown to its VM's actor") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  effects.clear();
  looks({{vm, {1, 1}, guest_phase::running, false}});
  auto shown = taken<show_guest>();
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].vm == vm);
  CHECK(shown[0].seen.guest == guest_seen::presence::running);
  CHECK(shown[0].seen.epoch == epoch{1, 1});
}

TEST_CASE_FIXTURE(one_host, "the log is asked about a guest whose VM a host doesn't know") {
  const std::vector<guest_status> guests{{vm, {1, 1}, guest_phase::running, false}};
  register_it();
  lists(5, {});
  hold_lease(5);
  effects.clear();
  looks(guests);
  CHECK(taken<ask_about_vm>().size() == 1);
  looks(guests);
  CHECK(taken<ask_about_vm>().empty()); // one question is out
  CHECK(!logic.starting_allowed(now.boot));

  SUBCASE("its VM is elsewhere: an actor of it must end the guest") {
    auto elsewhere = wanted(4);
    elsewhere.host = there;
    elsewhere.epoch = {1, 2};
    take(logic.told_about(vm, feed_listing{5, {elsewhere}, {}}));
    looks(guests);
    CHECK(taken<need_vm_actor>().size() == 1);
    CHECK(!logic.starting_allowed(now.boot));
    take(logic.present(vm, now));
    auto words = taken<tell_vm>();
    REQUIRE(words.size() == 1);
    CHECK(words[0].word.vm.host == there);
    looks({});
    CHECK(logic.starting_allowed(now.boot));
  }
  SUBCASE("there is no such VM: that is said once, and keeps nobody waiting") {
    take(logic.told_about(vm, feed_listing{5, {}, {}}));
    auto notes = taken<note_host>();
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].vm == vm);
    looks(guests);
    CHECK(taken<ask_about_vm>().empty());
    CHECK(taken<note_host>().empty());
    CHECK(logic.starting_allowed(now.boot));
  }
  SUBCASE("nobody answers: it is asked again") {
    take(logic.told_about(vm, std::nullopt));
    looks(guests);
    CHECK(taken<ask_about_vm>().size() == 1);
    CHECK(!logic.starting_allowed(now.boot));
  }
}

TEST_CASE_FIXTURE(one_host, "a source's request waits for its reservation, but not for ever") {
  const prepare_migration early{{{3, 1}}, vm, {1, 1}, {}, {}};
  const prepare_migration lost{{{3, 2}}, vm, {1, 1}, {}, {}};
  register_it();
  lists(5, {});
  take(logic.asked_to_prepare(1, early, now));
  take(logic.asked_to_prepare(2, lost, now));
  CHECK(taken<pass_on_request>().empty());
  migration_record record;
  record.id = early.migration;
  record.vm = vm;
  record.from = there;
  record.to = here;
  record.revision = 6;
  changes(6, record);
  auto needed = taken<need_migration_actor>();
  REQUIRE(needed.size() == 1);
  CHECK(!needed[0].source);
  take(logic.present(early.migration, now));
  auto passed = taken<pass_on_request>();
  REQUIRE(passed.size() == 1);
  CHECK(passed[0].ticket == 1);
  pass(5s);
  tick();
  auto refused = taken<refuse_request>();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].ticket == 2);
}
