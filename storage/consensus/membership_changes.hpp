#pragma once

#include "storage/consensus/raft_core.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>

namespace novacron {

/// A wish to change who takes part in a group.
struct membership_change {
  enum class kind : uint8_t {
    add,     ///< as a standby: it gets the log, from a snapshot if need be
    promote, ///< a standby that has caught up becomes a voter
    demote,  ///< a voter becomes a standby
    remove,  ///< a member leaves; its id is never used again
    rename,  ///< a member gets another address
  };
  kind what = kind::add;
  uint64_t id = 0;
  std::string address; ///< for `add` and `rename`
};

/// What became of it. `refused`: nothing has changed, `reason` says why and what
/// to do. `unknown`: this replica lost the lead before it knew.
struct change_result {
  enum class kind : uint8_t { done, refused, not_leader, unknown };
  kind what = kind::done;
  std::string reason;
};

/// Carries out changes of a group's membership on its leader, one at a time:
/// others wait for their turn, and are judged when it has come.
///
/// The problem: a change must never cost the majority that would be needed to
/// undo it. So a standby is promoted only once its log is nearly the leader's
/// (rounds, as in Ongaro's thesis, 4.2.1), and a voter is only added or taken
/// away if those voters that answer are a majority of those that will be. Nor does
/// it get more than `most_voters`.
///
/// Pure, like the core: whoever owns the core calls `poll` after each turn.
class membership_changes {
public:
  using millisecond_clock = raft_core::millisecond_clock;
  using callback = std::function<void(change_result)>;

  membership_changes(raft_core& core, uint64_t self, std::chrono::milliseconds election)
      : core_{core}, self_{self}, election_{static_cast<uint64_t>(election.count())} {
    // nop
  }

  /// `done` is called once: inside this call, or by a later `poll` or `fail`.
  void request(membership_change wish, callback done, millisecond_clock now);
  /// Goes on with what is under way.
  void poll(millisecond_clock now);
  /// The replica stops: what is under way ends as `unknown`.
  void fail(const std::string& reason);
  [[nodiscard]] bool idle() const { return !running_ && waiting_.empty(); }

private:
  struct asked {
    membership_change wish;
    callback done;
  };
  struct running {
    membership_change wish;
    callback done;
    uint64_t index = 0; ///< of its entry; 0: not submitted yet
    uint64_t term = 0;  ///< in which it began
    uint64_t round_target = 0;
    millisecond_clock round_began = 0;
    millisecond_clock deadline = 0;
  };

  void begin(asked next, millisecond_clock now);
  /// It is the leader that is to lose its vote: somebody else must see to it.
  void hand_over(asked wish, millisecond_clock now);
  void go_on(millisecond_clock now);
  void end(change_result::kind what, std::string reason = {});
  /// Why it makes no sense. Empty: it does.
  [[nodiscard]] std::string objection(const membership_change& wish) const;
  /// Why it would cost the majority.
  [[nodiscard]] std::string quorum_objection(const membership_change& wish,
                                             millisecond_clock now) const;
  /// False: the standby is still too far behind.
  bool caught_up(millisecond_clock now);
  [[nodiscard]] bool answers(uint64_t id, millisecond_clock now) const;

  raft_core& core_;
  const uint64_t self_;
  const uint64_t election_;
  std::optional<running> running_;
  std::deque<asked> waiting_;
};

/// The members after `wish`.
membership apply_change(membership members, const membership_change& wish);

} // namespace novacron
