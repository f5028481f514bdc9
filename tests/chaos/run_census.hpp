#pragma once

#include "hypervisor/console/console_watch.hpp"
#include "messages/ids.hpp"
#include "run_counter.hpp"

#include <atomic>
#include <filesystem>
#include <list>
#include <mutex>
#include <set>
#include <thread>

namespace novacron::chaos {

/// Where guests run.
struct census_places {
  std::map<std::string, std::filesystem::path>
      machines;           ///< of simulated hosts: node's state folder
  std::set<node_id> real; ///< hosts whose guests are QEMUs
};

/// Counts who runs, all the time, without asking a node: simulated guests by
/// their machines' processes, real ones by /proc, and some by what they
/// say on their consoles, where a number that comes twice is a second run.
///
/// A QEMU that was started to take a migration's stream counts for its console
/// only: /proc doesn't tell whether it waits or runs.
class run_census {
public:
  explicit run_census(census_places places);
  ~run_census();
  run_census(const run_census&) = delete;
  run_census& operator=(const run_census&) = delete;

  /// Follow this VM's console, too: one log for each host it may be on.
  void listen(const std::string& vm, std::vector<std::filesystem::path> logs);

  [[nodiscard]] uint64_t counts() const { return counts_; }
  /// What ran twice, in words.
  [[nodiscard]] std::vector<std::string> duplicates() const;
  /// Of the consoles that are followed: all ticks, and guests whose memory was wrong.
  [[nodiscard]] uint64_t ticks() const;
  [[nodiscard]] std::vector<std::string> bad_memory() const;

private:
  struct console {
    console(std::string name, std::vector<std::filesystem::path> logs)
        : vm{std::move(name)}, watch{std::move(logs)} {
      // nop
    }
    std::string vm;
    console_watch watch;
  };

  void run();
  [[nodiscard]] std::vector<running_guest> look() const;

  const census_places places_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> counts_{0};
  mutable std::mutex mutex_;
  run_counter counter_;
  std::vector<std::string> duplicates_;
  std::list<console> consoles_;
  std::thread thread_;
};

} // namespace novacron::chaos
