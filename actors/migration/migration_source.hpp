#pragma once

#include "actors/migration/decision.hpp"
#include "hypervisor/hypervisor.hpp"
#include "messages/local.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace novacron {

/// A Perform and its page session that ended well.
struct perform_end {
  std::string cookie;
  migration_cost cost; ///< all but the duration
};

struct migration_limits {
  /// A guest that is paused and undecided for longer is taken back.
  std::chrono::milliseconds undecided{10'000};
  /// The destination waits so long for the source's first word.
  std::chrono::milliseconds first_word{30'000};
  /// A guest that is found paused, and no incoming one, for so long isn't about to be ended by a
  /// hypervisor that has just come back.
  std::chrono::milliseconds settled{30'000};
  /// Between two tries of what must succeed in the end.
  std::chrono::milliseconds retry{200};
};

/// The source's side of one migration.
///
///     begin ─▶ prepare ─▶ perform ─▶ tell ─▶ wish commit ─▶ (finished) confirm
///        └───────┴──────────┴─────────┴────▶ wish abort  ─▶ (aborted)  resume
///
/// The log alone decides. Any failure is a wish to abort; killed and restarted,
/// it knows nothing of the stream and wishes to abort as well. Whatever the log
/// says then is carried out: the guest is resumed here, or its paused copy
/// destroyed, tried again until it succeeds, and reported as clean.
///
/// Pure: no clock, no I/O, no CAF.
class migration_source {
public:
  using time_point = decision::time_point;

  explicit migration_source(migration_limits limits = {}) : limits_{limits} {
    // nop
  }

  migration_effects changed(const migration_changed& what, time_point now);
  migration_effects begun(const result<migration_offer>& offer, time_point now);
  migration_effects prepared(const result<migration_prepared>& destination, time_point now);
  migration_effects performed(const result<perform_end>& end, time_point now);
  migration_effects acknowledged(const std::optional<failure>& problem, time_point now);
  migration_effects decided(const std::optional<command_outcome>& outcome, time_point now);
  migration_effects cleaned(const std::optional<failure>& problem, time_point now);
  migration_effects tick(time_point now);

  /// "preparing", "precopy", "switchover" or "finishing", for people.
  [[nodiscard]] std::string phase_name() const;

private:
  /// What of ours runs, or has ended for good.
  enum class work : uint8_t { none, performing, cleaning, clean };

  migration_effects proceed(time_point now);
  void proceed_undecided(migration_effects& out, time_point now);
  void clean_up(migration_effects& out, migration_effect how, time_point now);
  void give_up(std::string reason);

  migration_limits limits_;
  decision decision_;
  novacron::epoch epoch_at_source_; ///< under which the guest goes on here, if it does
  work work_ = work::none;
  bool abort_asked_ = false; ///< of the Perform that runs
  bool sent_ = false;        ///< Perform ended well: the guest is paused
  time_point started_at_;
  time_point performed_at_;
  time_point clean_not_before_;
  time_point report_not_before_;
  migration_cost cost_;
};

} // namespace novacron
