#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace novacron {

/// One change of the state, as the API shows it.
struct view_event {
  uint64_t revision = 0;
  std::shared_ptr<const std::string> json;
};

/// The first of them that are all of their revisions, and of which each takes its JSON and a
/// comma of `most_bytes`; none when not even the first revision does.
std::span<const view_event> whole_revisions(std::span<const view_event> events, size_t most_bytes);

/// The latest events, in the feed's order, so that a reader that was away can
/// go on where it was. Bounded in number and in bytes (a drain's event names each
/// VM of its host): the oldest are dropped, and a reader whose place was dropped is
/// told so instead of missing them silently.
///
/// A *position* counts events since the process started. It isn't a revision:
/// several events may share one.
class event_ring {
public:
  event_ring(size_t capacity, size_t most_bytes) : capacity_{capacity}, most_bytes_{most_bytes} {
    // nop
  }

  /// Of a slice, unless its only revision is larger.
  static constexpr size_t most_slice_bytes = 1u << 20;

  struct slice {
    std::vector<view_event> events;
    uint64_t next = 0; ///< the position to read from after these
  };

  /// What happened up to `revision` isn't known event by event (the state was
  /// listed). Every position given out before is too old now.
  void reset(uint64_t revision);
  void push(view_event event);

  /// Where the events after `revision` start; nothing when some of them were dropped.
  [[nodiscard]] std::optional<uint64_t> position_after(uint64_t revision) const;
  /// Where the next event will stand.
  [[nodiscard]] uint64_t end() const { return first_ + events_.size(); }
  /// About `limit` events from `position` on, as many as one slice holds; nothing when
  /// some were dropped. All of a revision or none of it: who has read a slice may come
  /// back with its last revision.
  [[nodiscard]] std::optional<slice> read(uint64_t position, size_t limit) const;

private:
  void drop_first();

  size_t capacity_;
  size_t most_bytes_;
  size_t bytes_ = 0; ///< of the events' JSON
  std::deque<view_event> events_;
  uint64_t first_ = 0;       ///< position of the first event that is kept
  uint64_t known_after_ = 0; ///< events of later revisions are all here
};

} // namespace novacron
