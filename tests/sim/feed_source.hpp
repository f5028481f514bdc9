#pragma once

#include "messages/peer.hpp"
#include "storage/state/cluster_state.hpp"

#include <deque>

namespace novacron::sim {

/// A replica's feed: its state's records, and the latest changes. What a host
/// gets of it is decided where the real one decides it, in `audience.hpp`.
class feed_source {
public:
  explicit feed_source(size_t keep) : keep_{keep} {
    // nop
  }

  void add(uint64_t revision, const applied_batch& done);
  /// The process starts again with a state that has this revision.
  void begin_at(uint64_t revision);
  /// A snapshot took the state's place: it brings no changes.
  void restart_at(uint64_t revision);

  [[nodiscard]] static feed_listing list(const cluster_state& state, uint64_t revision,
                                         const list_request& request);
  [[nodiscard]] feed_changes changes_after(uint64_t applied, const pull_request& request) const;

private:
  struct stored {
    uint64_t revision = 0;
    std::vector<change> changes;
    std::vector<std::vector<node_id>> audience;
  };

  size_t keep_;
  uint64_t forgotten_ = 0;
  std::deque<stored> log_;
};

} // namespace novacron::sim
