#include "actors/host/host_logic.hpp"
#include "hypervisor/errors.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const node_id here{{1, 1}};
const node_id there{{1, 2}};
const vm_id vm{{2, 1}};

/// A host at a second of its life, with effects sorted by kind.
struct one_host {
  host_logic logic{{[] {
                      host_record self;
                      self.id = here;
                      self.boot = {{4, 1}};
                      return self;
                    }(),
                    10s, 2s}};
  host_moment now{std::chrono::steady_clock::time_point{1h}, 100s};
  host_effects effects;

  void pass(std::chrono::milliseconds time) {
    now.now += time;
    now.boot += time;
  }
  void take(host_effects more) {
    for (auto& each : more)
      effects.push_back(std::move(each));
  }
  void tick() { take(logic.tick(now)); }

  template <class Effect>
  std::vector<Effect> taken() {
    std::vector<Effect> some;
    for (const auto& each : effects)
      if (auto* one = std::get_if<Effect>(&each))
        some.push_back(*one);
    std::erase_if(effects, [](const auto& each) { return std::holds_alternative<Effect>(each); });
    return some;
  }

  static command_outcome accepted_at(uint64_t revision) {
    command_outcome outcome;
    outcome.revision = revision;
    return outcome;
  }

  void register_it() {
    tick();
    REQUIRE(taken<propose_registration>().size() == 1);
    take(logic.registered(accepted_at(1)));
  }
  /// The log shows this, complete up to `revision`.
  void lists(uint64_t revision, std::vector<any_record> records) {
    REQUIRE(logic.follower().next(now.now));
    logic.follower().listed({revision, std::move(records), {}}, now.now);
    take(logic.log_changed(now));
  }
  void changes(uint64_t revision, const any_record& record) {
    REQUIRE(logic.follower().next(now.now));
    logic.follower().changed({revision, false, {{revision, record, false}}, {}}, now.now);
    take(logic.log_changed(now));
  }
  /// Renews, and gets the grant; the fencer takes the deadline.
  void hold_lease(uint64_t revision) {
    tick();
    auto renewals = taken<propose_renewal>();
    REQUIRE(renewals.size() == 1);
    take(logic.renewed(renewals[0].attempt, accepted_at(revision)));
    auto moves = taken<move_deadline>();
    REQUIRE(moves.size() == 1);
    take(logic.guarded(moves[0].deadline, std::nullopt));
  }
  bool last_word_allows_start() {
    auto words = taken<tell_vm>();
    REQUIRE(!words.empty());
    return words.back().word.may_start;
  }
};

vm_record wanted(uint64_t revision) {
  vm_record record;
  record.id = vm;
  record.host = here;
  record.requested = requested_state::running;
  record.actual = actual_state::starting;
  record.epoch = {1, 1};
  record.revision = revision;
  return record;
}

} // namespace

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
  tick();
  auto renewals = taken<propose_renewal>();
  REQUIRE(renewals.size() == 1);
  command_outcome refused;
  refused.error = command_errc::stale_lease;
  take(logic.renewed(renewals[0].attempt, refused));
  tick();
  CHECK(taken<propose_registration>().size() == 1);
}

TEST_CASE_FIXTURE(one_host, "guests may start once the fencer has the deadline, not before") {
  register_it();
  lists(5, {wanted(4)});
  REQUIRE(taken<need_vm_actor>().size() == 1);
  take(logic.present(vm, now));
  CHECK(!last_word_allows_start());
  tick();
  auto renewals = taken<propose_renewal>();
  REQUIRE(renewals.size() == 1);
  take(logic.renewed(renewals[0].attempt, accepted_at(5)));
  auto moves = taken<move_deadline>();
  REQUIRE(moves.size() == 1);
  CHECK(moves[0].deadline == now.boot + 10s);
  tick();
  CHECK(taken<tell_vm>().empty());
  take(logic.guarded(moves[0].deadline, make_failure(hypervisor_errc::unreachable, "no fencer")));
  tick();
  CHECK(taken<tell_vm>().empty());
  take(logic.guarded(moves[0].deadline, std::nullopt));
  tick();
  CHECK(last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host, "a state that is older than the first grant starts nothing") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  taken<tell_vm>();
  hold_lease(9);
  tick();
  CHECK(taken<tell_vm>().empty());
  changes(9, wanted(9));
  CHECK(last_word_allows_start());
}

TEST_CASE_FIXTURE(one_host, "VMs that wait hear when the lease has ended") {
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  hold_lease(5);
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
  logic.not_started(vm);
  changes(7, wanted(7));
  CHECK(taken<need_vm_actor>().size() == 1);
}

TEST_CASE_FIXTURE(one_host, "a guest is shown to its VM's actor, and one without a VM said once") {
  const vm_id stranger{{2, 9}};
  register_it();
  lists(5, {wanted(4)});
  take(logic.present(vm, now));
  effects.clear();
  const std::vector<guest_status> guests{{vm, {1, 1}, guest_phase::running, false},
                                         {stranger, {1, 7}, guest_phase::running, false}};
  take(logic.looked(guests, now.now));
  auto shown = taken<show_guest>();
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].vm == vm);
  CHECK(shown[0].seen.guest == guest_seen::presence::running);
  CHECK(shown[0].seen.epoch == epoch{1, 1});
  auto notes = taken<note_host>();
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].vm == stranger);
  take(logic.looked(guests, now.now));
  CHECK(taken<note_host>().empty());
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
