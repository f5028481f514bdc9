#pragma once

#include "storage/state/migration_queue.hpp"

#include <deque>
#include <functional>
#include <map>
#include <vector>

namespace novacron {

/// What somebody who waits for a migration to begin is told.
struct queue_prospect {
  /// In the longest of the lines that it needs (its hosts', and their link's); 1: the next.
  size_t position = 1;
  /// As those before it are expected to end; what has passed means any moment, zero that
  /// nothing has ended yet that it could be reckoned from.
  log_time expected_start;

  friend bool operator==(const queue_prospect&, const queue_prospect&) = default;
};

/// How long migrations have taken lately.
class recent_durations {
public:
  /// Seen to have ended well.
  void add(std::chrono::milliseconds duration);
  /// Zero: none has ended yet.
  [[nodiscard]] std::chrono::milliseconds mean() const;

private:
  std::deque<std::chrono::milliseconds> latest_;
};

/// What there is to say of each of `waiting`, which are in the queue's order, as long as each
/// migration takes `mean` and none is overtaken. `host` gives a host's record, or null.
///
/// Pure.
std::map<migration_id, queue_prospect>
prospects(const std::vector<const migration_record*>& waiting,
          const std::vector<const migration_record*>& under_way, std::chrono::milliseconds mean,
          const std::function<const host_record*(node_id)>& host);

} // namespace novacron
