#pragma once

#include "hypervisor/simulated/machine.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace novacron {

/// What the census has seen.
struct census_result {
  uint64_t counts = 0; ///< times that the processes were counted
  uint64_t duplicates
      = 0; ///< spells of half a second with two processes of one VM outside any migration
  uint64_t tcp_sockets = 0; ///< of guests' processes: pages could travel past DWCP there
};

/// A guest that is there, and the process that it runs in.
struct counted_guest {
  vm_id vm;
  int pid = 0;
};
/// Finds all guests of the demo's hosts, from outside: without asking a node.
using guest_finder = std::function<std::vector<counted_guest>()>;

/// By the marks of QEMU processes, in /proc alone.
guest_finder find_by_marks(std::set<node_id> hosts);
/// In simulated machines: a guest's process is its machine.
guest_finder find_in_machines(std::vector<machine_config> machines);

/// Counts the guests again and again, on a thread of its own. Two of one VM are
/// as it must be during a migration (the destination's copy doesn't run); whether
/// both *ran* then is told by the guest's ticks, which would repeat.
class process_census {
public:
  explicit process_census(guest_finder find);
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

  /// The guests, now.
  [[nodiscard]] std::vector<counted_guest> guests() const { return find_(); }

private:
  void run();
  void count();

  const guest_finder find_;
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
