#pragma once

#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/fencer/pid_handle.hpp"

#include <map>

namespace novacron {

/// A guest's process, held so that its number can't be given to another.
struct held_guest {
  pid_handle process;
  guest_mark mark;
};

/// `find_guest_processes`, with a hold on each. `missed`, if given, says whether one that
/// may be a guest couldn't be looked at, as for want of descriptors.
std::vector<held_guest> hold_guest_processes(bool* missed = nullptr);

/// Kills the `ha` guests of one host and remembers those whose death isn't
/// confirmed yet: SIGKILL is sent at once, but a process that waits for a dead
/// disk ends only when the disk answers, and until then it may still write.
class guest_killer {
public:
  explicit guest_killer(node_id host) : host_{host} {}

  /// Kills all that are there now. Returns those that it met for the first time.
  /// `missed_some` tells whether it saw all of them.
  std::vector<guest_process> kill();
  /// Counts those that have died since. Costs nothing when none is dying.
  void confirm();

  [[nodiscard]] uint64_t killed() const { return killed_; }      ///< dead, confirmed
  [[nodiscard]] uint64_t dying() const { return dying_.size(); } ///< killed, not yet dead
  [[nodiscard]] bool missed_some() const { return missed_; }     ///< in the last `kill`

private:
  node_id host_;
  std::map<int, pid_handle> dying_;
  uint64_t killed_ = 0;
  bool missed_ = false;
};

} // namespace novacron
