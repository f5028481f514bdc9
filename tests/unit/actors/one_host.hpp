#pragma once

#include "actors/host/host_logic.hpp"

#include <doctest/doctest.h>

namespace novacron::host_test {

using namespace std::chrono_literals;

inline const node_id here{{1, 1}};
inline const node_id there{{1, 2}};
inline const vm_id vm{{2, 1}};

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
  /// A renewal is due, and the log doesn't know our boot: it registers again.
  void lose_registration() {
    tick();
    auto renewals = taken<propose_renewal>();
    REQUIRE(renewals.size() == 1);
    command_outcome refused;
    refused.error = command_errc::stale_lease;
    take(logic.renewed(renewals[0].attempt, refused, now));
    tick();
    CHECK(taken<propose_registration>().size() == 1);
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
  /// Renews, and gets the grant: the deadline that the fencer is to have.
  std::chrono::nanoseconds renew(uint64_t revision) {
    tick();
    taken<move_deadline>(); // the old one, again
    auto renewals = taken<propose_renewal>();
    REQUIRE(renewals.size() == 1);
    take(logic.renewed(renewals[0].attempt, accepted_at(revision), now));
    auto moves = taken<move_deadline>();
    REQUIRE(moves.size() == 1);
    return moves[0].deadline;
  }
  /// Renews, gets the grant, and the fencer takes the deadline.
  void hold_lease(uint64_t revision) { take(logic.guarded(renew(revision), std::nullopt)); }
  /// The hypervisor shows these guests.
  void looks(const std::vector<guest_status>& guests) {
    taken<look_at_guests>();
    take(logic.looked(guests, now.now, now));
  }
  bool last_word_allows_start() {
    auto words = taken<tell_vm>();
    REQUIRE(!words.empty());
    return words.back().word.may_start;
  }
};

inline vm_record wanted(uint64_t revision) {
  vm_record record;
  record.id = vm;
  record.host = here;
  record.requested = requested_state::running;
  record.actual = actual_state::starting;
  record.epoch = {1, 1};
  record.revision = revision;
  return record;
}

} // namespace novacron::host_test
