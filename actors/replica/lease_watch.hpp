#pragma once

#include "messages/commands.hpp"

#include <chrono>
#include <unordered_map>
#include <vector>

namespace novacron {

/// The leader's half of hosts' leases: which of them were not renewed in time.
///
/// The problem: the term counts from the apply, but the log's clock is another
/// machine's, and may jump. So a lease counts from the moment when we, as
/// leader, first saw its present renewal, on our own steady clock: never earlier
/// than its apply. A new leader, or one that restarted, has seen none, and gives
/// every host the full term again. It may not have applied the latest renewal
/// yet; the end that it proposes names the one that it saw, and is refused behind
/// a later one. The term is stretched by the margins of `messages/lease_margins.hpp`.
///
/// Pure.
class lease_watch {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Looks at all leases, as applied; `now` is taken after they were read. Yields, for
  /// each that is over, the command that ends it; again each second, until the log
  /// shows that it ended.
  std::vector<expire_lease> look(const std::vector<lease_record>& leases, time_point now);

  /// We don't lead any more, or not yet.
  void forget() { seen_.clear(); }

private:
  struct sighting {
    uint64_t renewal = 0;
    time_point at;
    time_point proposed; ///< its end, last
  };

  std::unordered_map<node_id, sighting> seen_;
};

} // namespace novacron
