#pragma once

#include "actors/migration/migration_effects.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace novacron {

/// One side's part in deciding a migration: it wishes for a decision and
/// proposes it, again and again, until the log has decided, whichever way.
/// Proposing is a compare-and-set, so repeating it is harmless.
class decision {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The record, as the feed shows it.
  void record_changed(const migration_record& record);
  /// A wish for `what`. An earlier wish for something else gives way.
  void wish(migration_decision what, std::string reason);
  [[nodiscard]] bool wished(migration_decision what) const { return wish_ == what; }

  /// The proposal that is due, if any. At most one is out.
  std::optional<propose_decision> next(time_point now);
  /// What became of the proposal; nothing when nobody answered.
  void answered(const std::optional<command_outcome>& outcome, time_point now);

  /// The feed has shown the record.
  [[nodiscard]] bool known() const { return !record_.id.nil(); }
  /// How far the migration is, by the feed or by the answer to a proposal,
  /// whichever knows more.
  [[nodiscard]] migration_phase phase() const { return record_.phase; }
  [[nodiscard]] const migration_record& record() const { return record_; }

private:
  void advance(migration_phase to);

  migration_record record_;
  std::optional<migration_decision> wish_;
  std::string reason_;
  bool proposed_ = false; ///< and not answered
  time_point not_before_;
};

} // namespace novacron
