#pragma once

#include "messages/records.hpp"

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace novacron {

/// The first `command_batch::cluster_version` under which migrations wait for their turn.
inline constexpr uint32_t admission_since = 7;

/// The first `command_batch::cluster_version` under which migrations are tried again.
inline constexpr uint32_t tries_since = 9;

/// How long a further try is put off: the second for 5 s, each later one twice as long as the one
/// before, up to a minute.
std::chrono::seconds put_off_for(uint32_t attempt);

/// The id of the try after this one: on every replica the same, and nobody else's.
migration_id next_try(migration_id last);

/// As many wait, in all; more are refused.
inline constexpr size_t most_queued_migrations = 4'096;

/// Who has waited for so long isn't overtaken any more by those behind it.
inline constexpr std::chrono::minutes patience_in_queue{1};

/// Where a migration stands among those that wait: less is sooner. By priority, then by age.
struct queue_place {
  int rank = 0; ///< of its priority
  log_time since;
  migration_id id;

  friend auto operator<=>(const queue_place&, const queue_place&) = default;
};
queue_place place_of(const migration_record& migration);

/// What migrations take turns at: a host, or the link between two sites.
struct migration_line {
  node_id host;                   ///< nil: a link
  std::string site, other_site{}; ///< sorted; empty: a host

  friend auto operator<=>(const migration_line&, const migration_line&) = default;
};

/// A line that a migration needs a slot in, and how many slots that has.
struct needed_line {
  migration_line line;
  uint32_t slots = 1;

  friend bool operator==(const needed_line&, const needed_line&) = default;
};

/// What a migration between these hosts needs: a slot at either, and, if their labels `site`
/// differ, one of the link between these, which has as many as the more modest of the two
/// hosts says.
std::vector<needed_line> lines_between(const host_record& from, const host_record& to);

/// Has begun, and keeps its hosts busy: until the guest runs at the destination, or it is aborted.
bool is_under_way(const migration_record& migration);

/// Slots that are taken.
class migration_slots {
public:
  void take(const std::vector<needed_line>& lines);
  /// Each of these lines has a slot left.
  [[nodiscard]] bool free(const std::vector<needed_line>& lines) const;

private:
  std::map<migration_line, uint32_t> taken_;
};

} // namespace novacron
