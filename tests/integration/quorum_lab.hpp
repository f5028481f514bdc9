#pragma once

#include "cluster_lab.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace novacron::test {

inline constexpr int nodes = 3;

/// Three nodes, each controller, gateway and host, as processes; guests are simulated.
class quorum_lab : public cluster_lab {
public:
  /// Starts all of them from `program`; empty: the one that is tested.
  explicit quorum_lab(const std::filesystem::path& program = {});

  /// As node `asked` shows it; null: it didn't answer.
  [[nodiscard]] boost::json::value cluster(int asked) const;
  /// The number of the node that leads, as `asked` says; 0: nobody does.
  [[nodiscard]] int leader(int asked) const;
  [[nodiscard]] std::vector<boost::json::value> members(int asked) const;
  /// Waits for a leader that `asked` knows.
  int await_leader(int asked) const;
  /// All members are there, and have what the leader has.
  [[nodiscard]] bool await_all(int asked) const;
  /// Creates a VM through any of `asked`, with one key, until it is acknowledged.
  std::string create(const std::string& name, const std::vector<int>& asked,
                     const std::string& more = {}) const;
  /// Names and ids of the VMs that a node shows, after everything acknowledged.
  [[nodiscard]] std::multimap<std::string, std::string> listed_at(int asked) const;
};

/// The nodes without this one.
std::vector<int> all_but(int node);

/// Writers that go on until the test has seen enough; what was acknowledged, and when.
class busy_writers {
public:
  using clock = std::chrono::steady_clock;

  explicit busy_writers(const quorum_lab& lab);
  ~busy_writers() { stop(); }
  busy_writers(const busy_writers&) = delete;
  busy_writers& operator=(const busy_writers&) = delete;

  void stop();
  /// Of what was sent after `from`, when the first was acknowledged.
  [[nodiscard]] std::optional<clock::time_point> first_sent_after(clock::time_point from) const;
  /// Names and ids.
  [[nodiscard]] std::map<std::string, std::string> acknowledged() const;
  /// The longest time without an acknowledgement, from the begin to `stop`.
  [[nodiscard]] clock::duration longest_pause() const;

private:
  void work(const quorum_lab& lab, int number);

  const clock::time_point began_ = clock::now();
  std::optional<clock::time_point> ended_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> ids_;
  std::vector<std::pair<clock::time_point, clock::time_point>> times_;
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

} // namespace novacron::test
