#pragma once

#include "messages/changes.hpp"
#include "messages/peer.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

namespace novacron {

struct feed_config {
  size_t most_pulls = 4'096;                      ///< that wait or are read; more are refused
  std::chrono::milliseconds longest_wait{10'000}; ///< of a pull
  std::chrono::milliseconds keep_progress{
      60'000};                  ///< a migration that is silent for longer is forgotten
  size_t most_progress = 4'096; ///< migrations; the oldest is forgotten first
};

/// Names one pull; the actor knows whose answer it is.
using pull_ticket = uint64_t;

// Effects: what the feed must do, in order.

/// Ask the replica, which answers at once; then say `was_read` or `not_read`.
struct read_changes {
  pull_ticket pull = 0;
  pull_request request;
};
struct answer_pull {
  pull_ticket pull = 0;
  feed_changes changes;
};
/// Refuse the pull: too many wait.
struct refuse_pull {
  pull_ticket pull = 0;
};
using feed_effect = std::variant<read_changes, answer_pull, refuse_pull>;

/// Who is told what, and when.
///
/// The problem: readers must hear of a change as soon as it is applied, yet a
/// slow or vanished reader must cost nothing. So nothing is pushed: a reader
/// asks for what comes after its revision, and an empty answer is held back
/// until there is something, or the reader's wait is over. A reader whose filter
/// hides all that happens moves on all the same, or its place would fall out of
/// the changes that are kept.
///
/// Pure. Progress of migrations travels beside the changes to readers without a
/// filter: the latest of each migration, once per reader.
class feed_state {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using effects = std::vector<feed_effect>;

  explicit feed_state(feed_config config = {}) : config_{config} {
    // nop
  }

  /// A reader asks. `reader` tells readers apart, as well as it can: two that
  /// share a number share their progress.
  effects pulled(pull_ticket pull, uint64_t reader, const pull_request& request, time_point now);
  effects was_read(pull_ticket pull, feed_changes changes, time_point now);
  /// The replica didn't answer; the actor has answered the reader with the error.
  void not_read(pull_ticket pull);
  /// The replica has applied up to `revision`.
  effects applied(uint64_t revision);
  effects progressed(const migration_progress& progress, time_point now);
  effects tick(time_point now);

  [[nodiscard]] size_t open_pulls() const { return pulls_.size(); }
  [[nodiscard]] size_t known_readers() const { return readers_.size(); }

private:
  struct open_pull {
    uint64_t reader = 0;
    pull_request request; ///< `after` moves on with each reading
    time_point deadline;
    bool reading = false;
  };
  struct news_item {
    migration_progress latest;
    uint64_t number = 0; ///< of the message, rising
    time_point at;
  };
  struct acquaintance {
    uint64_t heard = 0; ///< number of the last news that the reader got
    time_point at;
  };

  read_changes read(pull_ticket ticket, open_pull& one);
  std::vector<migration_progress> news_for(const open_pull& one, time_point now);
  answer_pull answer(pull_ticket ticket, feed_changes changes, time_point now);

  feed_config config_;
  std::map<pull_ticket, open_pull> pulls_;
  uint64_t applied_ = 0; ///< 0: not known yet
  std::unordered_map<migration_id, news_item> news_;
  uint64_t last_news_ = 0;
  std::unordered_map<uint64_t, acquaintance>
      readers_; ///< forgotten when silent for `keep_progress`
};

} // namespace novacron
