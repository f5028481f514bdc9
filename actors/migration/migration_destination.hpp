#pragma once

#include "actors/migration/decision.hpp"
#include "actors/migration/migration_source.hpp"
#include "messages/local.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace novacron {

/// What is on this host of a guest that was to come here.
struct found_guest {
  enum class presence : uint8_t { absent, incoming, here, paused };
  presence guest = presence::absent;
  bool may_have_run = false; ///< a Finish was begun for this migration, by us or before a restart
};

/// The destination's side of one migration.
///
///     (asked) prepare ─▶ pages arrive ─▶ (told) answer ─▶ (committed) finish
///        └───────────────────┴──────────▶ wish abort   ─▶ (aborted)   cancel
///
/// Once committed the guest is ours to run. If it is not here any more and no
/// Finish was ever begun, it never ran here, and it is given back; if one was,
/// nobody may claim that, and the VM's own actor finds that it has ended.
///
/// Pure: no clock, no I/O, no CAF.
class migration_destination {
public:
  using time_point = decision::time_point;

  explicit migration_destination(migration_limits limits = {}) : limits_{limits} {
    // nop
  }

  migration_effects changed(const migration_changed& what, time_point now);
  migration_effects asked_to_prepare(const prepare_migration& request, time_point now);
  migration_effects prepared(const result<migration_prepared>& answer, time_point now);
  /// The page session has ended: well, with the digest that both ends agree on, or not.
  migration_effects pages_ended(const result<migration_cost>& cost, time_point now);
  migration_effects told(const migration_performed& message, time_point now);
  migration_effects decided(const std::optional<command_outcome>& outcome, time_point now);
  migration_effects finished(const std::optional<failure>& problem, time_point now);
  migration_effects found(const result<found_guest>& guest, time_point now);
  migration_effects cleaned(const std::optional<failure>& problem, time_point now);
  migration_effects tick(time_point now);

private:
  /// What of ours runs on the guest, or has ended for good. `acting`: finishing,
  /// looking or cancelling.
  enum class work : uint8_t { none, preparing, acting, clean };

  migration_effects proceed(time_point now);
  void proceed_undecided(migration_effects& out, time_point now);
  void proceed_committed(migration_effects& out);
  void give_up(migration_effects& out, const std::string& reason);

  migration_limits limits_;
  decision decision_;
  work work_ = work::none;
  bool asked_ = false;                 ///< by the source, to prepare
  bool answer_owed_ = false;           ///< to the source, for `told`
  std::optional<migration_cost> cost_; ///< all pages are here, digest equal
  std::optional<std::string> cookie_;
  time_point known_since_;
  time_point told_at_;
  std::optional<time_point> paused_since_; ///< as each look has shown it
  time_point not_before_;
  time_point report_not_before_;
};

} // namespace novacron
