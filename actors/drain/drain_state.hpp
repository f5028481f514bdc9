#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"
#include "messages/uuid.hpp"

#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <variant>
#include <vector>

namespace novacron {

struct drain_config {
  /// After a VM could not be moved; doubled each time it can't again.
  std::chrono::milliseconds first_wait{1'000};
  std::chrono::milliseconds longest_wait{30'000};
  uuid_source ids = random_uuid; ///< of the migrations that it orders
};

// Effects: what the drain's actor must do.

/// Propose it; then say `answered`, or `not_answered`.
struct give_order {
  move_vm order;
};
/// Propose it; nobody waits for the answer.
struct write_note {
  note_move note;
};
using drain_effect = std::variant<give_order, write_note>;

/// Drives tasks (drains, evacuations, rebalances): which VM to move next.
///
/// The problem: a drain takes minutes, in which leaders change and actors die,
/// and two drivers may be at work for a moment. So all that decides is in the
/// task's record, which the log keeps: what has been moved, what is moving, how
/// often it failed. This only proposes the next moves, each a compare-and-set on
/// what it saw; forgotten, it begins again from the records. What it remembers,
/// that an order is under way and when to try again, saves work and no more.
///
/// Of an evacuated host recovery places what is to run. What is stopped waits for that: it may
/// not take the room.
///
/// Pure.
class drain_state {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using effects = std::vector<drain_effect>;

  explicit drain_state(drain_config config = {}) : config_{std::move(config)} {
    // nop
  }

  // What the feed says; records of tasks and VMs count.
  void put(const any_record& record, time_point now);
  void remove(const any_record& record);
  void keep_only(const std::set<std::pair<record_type, uuid>>& named);

  /// The orders that can be given now.
  effects tick(time_point now);
  effects answered(const move_vm& order, const command_outcome& what, time_point now);
  /// Nobody knows what became of it.
  void not_answered(const move_vm& order, time_point now);

  [[nodiscard]] size_t running() const { return tasks_.size(); }

private:
  /// What is known of one move besides its record.
  struct effort {
    bool ordered = false;
    uint32_t failures = 0;
    time_point not_before;
  };
  using name = std::pair<task_id, vm_id>;

  [[nodiscard]] const task_move* find(const name& which) const;
  [[nodiscard]] time_point wait_after(uint32_t failures, time_point now) const;
  void drop(task_id task);
  void put_task(const task_record& task, time_point now);
  [[nodiscard]] bool leaves_room(const task_record& task) const;

  drain_config config_;
  std::map<task_id, task_record> tasks_; ///< that run
  std::map<name, effort> efforts_;
  std::set<vm_id> lost_; ///< VMs that are recovery's to place
};

} // namespace novacron
