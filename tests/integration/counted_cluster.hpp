#pragma once

#include "cluster_lab.hpp"
#include "hypervisor/simulated/machine.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace novacron::test {

/// A cluster of simulated hosts, all among nodes 1 to 3, whose machines are counted from
/// outside all the while.
class counted_cluster {
public:
  /// Starts it, with so many hosts.
  counted_cluster(lab_plan plan, const std::vector<std::string>& settings, size_t hosts = 3);
  ~counted_cluster();
  counted_cluster(const counted_cluster&) = delete;
  counted_cluster& operator=(const counted_cluster&) = delete;

  /// Where the VM's guest runs now, by the machines alone.
  [[nodiscard]] std::set<int> places(const std::string& id) const;
  /// A VM of each kind that runs on each host, if there are three; those on node-3, first
  /// the ha one.
  std::pair<std::string, std::string> run_everywhere();
  /// Pulls the plug: agent and machine, with all guests.
  void power_off(int node);
  [[nodiscard]] bool runs_away_from(const std::string& id, int node,
                                    std::chrono::milliseconds limit) const;
  /// A field of the VM, as the API shows it.
  [[nodiscard]] std::string text_of(const std::string& id, const std::string& name) const;
  /// VMs that were seen to run on two machines.
  [[nodiscard]] std::set<std::string> seen_twice();

  cluster_lab lab;                // NOLINT: the test works on it
  std::vector<std::string> ids;   // NOLINT: of all VMs
  std::vector<std::string> ha;    // NOLINT: of those that are bound to a lease
  std::vector<std::string> plain; // NOLINT: and of the others

private:
  [[nodiscard]] machine_config machine(int node) const;
  void count();

  std::mutex mutex_;
  std::set<std::string> twice_;
  std::atomic<bool> over_ = false;
  std::thread counter_;
};

} // namespace novacron::test
