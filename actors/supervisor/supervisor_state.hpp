#pragma once

#include "actors/supervisor/supervision_spec.hpp"
#include "messages/peer.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace novacron {

// Effects: what the supervisor must do, in order.

/// Call the child's start function; then say `started` or `ended`.
struct start_child {
  std::string name;
};
/// Ask the child to end; say `ended` when it has.
struct stop_child {
  std::string name;
};
/// The child had its grace: kill it.
struct kill_child {
  std::string name;
};
/// All children have ended: the supervisor ends, too. With a reason: it gave up.
struct end_supervisor {
  std::string gave_up;
};
using supervisor_effect = std::variant<start_child, stop_child, kill_child, end_supervisor>;

/// Decides whom a supervisor starts and ends, in which order, and when.
///
/// The problem: children that know one another's handles must be started one
/// after the other, ended in reverse, and restarted together; a child that
/// can't live must neither spin nor be given up on at its first death; one that
/// won't end must not hold up the others for ever; and there may be 100,000
/// children, so no event may look at all of them.
///
/// Where a group is restarted, OTP's rules hold: temporary children that had to
/// end with it stay away, and transient ones that had ended by themselves come back.
///
/// Pure: no clock, no actors. Children that were added at run time end all at
/// once, before those of the spec.
class supervisor_state {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using effects = std::vector<supervisor_effect>;
  /// A child's place in the order of starting.
  using place = uint64_t;

  explicit supervisor_state(supervisor_spec spec);

  /// Begins with the first child.
  effects start(time_point now);
  /// Adds a child, unless there is one of this name.
  effects add(child_spec spec, time_point now);
  /// Ends a child for good. Unknown names are ignored.
  effects remove(const std::string& name, time_point now);
  /// The start function yielded a child.
  effects started(const std::string& name, time_point now);
  /// The child ended, or could not be started; `failure` says why, and is empty
  /// when it ended by itself, without one.
  effects ended(const std::string& name, const std::string& failure, time_point now);
  /// Ends all children, then the supervisor.
  effects stop(time_point now);
  /// Time has passed; call it at `wake`, at the latest.
  effects tick(time_point now);
  [[nodiscard]] std::optional<time_point> wake() const;

  /// The child's spec; null for unknown names.
  [[nodiscard]] const child_spec* find(const std::string& name) const;

  /// A child, as others may see it.
  struct child_status {
    supervisor_state::place place = 0; ///< never 0, and never taken again
    std::string_view name;
    bool supervisor = false;
    bool added = false; ///< at run time
    actor_state state = actor_state::running;
    uint32_t restarts = 0;
    std::chrono::milliseconds up{0}; ///< 0 unless it runs
    std::string_view last_failure;
  };
  /// Calls `f` with each child behind `after`, in the order in which they are
  /// started. The one thing here that looks at all of them.
  void each(place after, time_point now, const std::function<void(const child_status&)>& f) const;
  [[nodiscard]] bool ending() const { return ending_; }

private:
  enum class status : uint8_t { idle, starting, running, stopping };

  struct entry {
    child_spec spec;
    status now = status::idle;
    bool added = false;   ///< at run time
    bool removed = false; ///< goes for good once it has ended
    bool killed = false;
    uint32_t restarts = 0;
    unsigned failures = 0; ///< deaths in a row, each within `period` of its start
    time_point started_at;
    time_point not_before;
    time_point stop_deadline;
    std::string last_failure;
  };

  void insert(child_spec spec, bool added);
  void erase(place where);
  void advance_stops(time_point now, effects& out);
  void advance_starts(time_point now, effects& out);
  void died(place where, bool normal, time_point now);
  void come_back(place where);
  void restart_group_of(place dead);
  [[nodiscard]] actor_state state_of(place where, const entry& child) const;
  void end_all();

  supervisor_spec spec_;
  std::map<place, entry> children_;
  std::unordered_map<std::string, place> by_name_;
  place next_place_ = 1;
  std::set<place> to_start_;
  std::set<place> to_stop_;
  std::set<place> stopping_;
  std::set<std::pair<time_point, place>> to_kill_; ///< of those, and when: who has its grace still
  std::optional<place> starting_;
  std::deque<time_point> deaths_; ///< of the last `period`, at most `intensity` + 1
  bool ending_ = false;
  bool ended_ = false;
  std::string gave_up_;
};

} // namespace novacron
