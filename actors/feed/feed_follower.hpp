#pragma once

#include "messages/changes.hpp"
#include "messages/peer.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <utility>
#include <variant>

namespace novacron {

/// Keeps a copy of (a part of) the state: lists it page by page, then asks for
/// the changes after it, for ever; lists again when told that its place in the
/// feed is not kept any more.
///
/// The source may change between any two questions, and the next one be behind the
/// last: a page that is older than what the copy shows is asked for again, and
/// changes are followed from the oldest page on.
///
/// Pure. The owner asks `next` what to send, sends it, and brings back the
/// answer; the follower calls the `sink` for what has changed. At most one
/// question is open at a time, so the feed is pulled, never pushed.
class feed_follower {
public:
  using clock = std::chrono::steady_clock;
  using question = std::variant<list_request, pull_request>;

  /// What the owner does with what the follower learns. A record that the owner
  /// has at a later revision already must be left alone: a listing may be older
  /// than the changes that came before it.
  struct sink {
    std::function<void(const any_record&)> put;
    std::function<void(const any_record&)> remove; ///< with the record's last content
    /// A listing is complete: what the owner has and it doesn't name is gone.
    std::function<void(const std::set<std::pair<record_type, uuid>>&)> keep_only;
    std::function<void(const migration_progress&)> progress; ///< may be empty
  };

  /// `linearizable`: the first page waits for everything acknowledged before.
  /// `phase`, from [0, 1), spreads readers who have reason to list, or to ask again,
  /// at the same time: this one waits for that part of a second before it lists again.
  feed_follower(feed_filter filter, bool linearizable, sink target, double phase = 0)
      : filter_{filter}, linearizable_{linearizable}, sink_{std::move(target)}, phase_{phase} {
    // nop
  }

  /// The owner's copy shows the state at this revision already, from an earlier follower:
  /// a listing that is older would take it back, and is asked for again.
  void go_on_from(uint64_t revision) { revision_ = std::max(revision_, revision); }

  /// What to ask now; nothing while a question is open or the last failed just now.
  std::optional<question> next(clock::time_point now);
  void listed(const feed_listing& page, clock::time_point now);
  void changed(const feed_changes& changes, clock::time_point now);
  /// The open question was not answered. Backs off, from 20 ms up to 500 ms.
  void failed(clock::time_point now);

  /// The copy is complete and shows the state at this revision; 0 before the
  /// first listing has ended.
  [[nodiscard]] uint64_t revision() const { return complete_ ? revision_ : 0; }
  [[nodiscard]] bool complete() const { return complete_; }
  /// A listing is being read: what comes to the sink now is no change, and not
  /// in the feed's order.
  [[nodiscard]] bool listing() const { return listing_; }
  /// A part of a listing has come to the sink, and the rest has not.
  [[nodiscard]] bool between_pages() const { return listing_ && !page_.empty(); }
  /// When the source last answered.
  [[nodiscard]] clock::time_point last_contact() const { return last_contact_; }

private:
  void answered(clock::time_point now);

  feed_filter filter_;
  bool linearizable_;
  sink sink_;
  double phase_;
  bool open_ = false; ///< a question is
  bool listing_ = true;
  bool complete_ = false;
  uint64_t revision_ = 0;  ///< of the last listing's oldest page, then of the last change
  uint64_t listed_at_ = 0; ///< of the oldest page, while listing
  std::string page_;
  std::set<std::pair<record_type, uuid>> listed_;
  clock::time_point not_before_;
  std::chrono::milliseconds back_off_{0};
  clock::time_point last_contact_;
};

/// A reader's `phase` by the node that it is on: always the same, and spread evenly.
double phase_of(node_id node);

} // namespace novacron
