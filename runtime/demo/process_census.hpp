#pragma once

#include "messages/ids.hpp"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace novacron {

/// What the census has seen.
struct census_result {
  uint64_t counts = 0; ///< times that the processes were counted
  uint64_t duplicates
      = 0; ///< spells of half a second with two processes of one VM outside any migration
  uint64_t tcp_sockets = 0;  ///< of guests' processes: pages could travel past DWCP there
  uint64_t most_at_once = 0; ///< processes of one VM
};

/// Counts the guests' QEMU processes from outside, by /proc alone, on a thread
/// of its own. Two processes of one VM are as it must be during a migration
/// (the destination's copy doesn't run); whether both *ran* then is told by the
/// guest's ticks, which would repeat.
class process_census {
public:
  /// Counts guests of these hosts.
  explicit process_census(std::set<node_id> hosts);
  ~process_census();
  process_census(const process_census&) = delete;
  process_census& operator=(const process_census&) = delete;

  /// While one of these lives a VM may have two processes.
  class migration_window {
  public:
    explicit migration_window(process_census& census) : census_{census} { ++census_.windows_; }
    ~migration_window() { --census_.windows_; }
    migration_window(const migration_window&) = delete;
    migration_window& operator=(const migration_window&) = delete;

  private:
    process_census& census_;
  };

  [[nodiscard]] census_result result() const;

  /// The pids of our hosts' guests, now.
  [[nodiscard]] std::map<int, vm_id> guests() const;

private:
  void run();
  void count();

  const std::set<node_id> hosts_;
  std::atomic<int> windows_{0};
  std::atomic<bool> stopping_{false};
  struct sighting {
    std::chrono::steady_clock::time_point since;
    bool counted = false;
  };
  std::map<vm_id, sighting> doubled_; ///< the thread's: VMs that have two processes now
  mutable std::mutex mutex_;
  census_result result_;
  std::thread thread_;
};

/// How many TCP sockets the process holds, by /proc; 0 for one that is gone.
uint64_t tcp_sockets_of(int pid);

} // namespace novacron
