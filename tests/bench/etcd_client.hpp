#pragma once

#include "system_under_test.hpp"

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace novacron::bench {

/// Where a member of etcd listens for clients, and how it knows them.
struct etcd_endpoint {
  std::string address; ///< "127.0.0.1:2379"
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

/// Does this member lead? False when it doesn't answer within a second.
bool etcd_leads(const etcd_endpoint& member);
/// Does it know a leader?
bool etcd_follows(const etcd_endpoint& member);

/// Puts of new keys in a closed loop, by gRPC's asynchronous client, over as many
/// connections as suit it best: one, or eight from 64 calls on.
load_result etcd_load(const etcd_endpoint& member, uint64_t run, const load_plan& plan);

/// Four writers, one put each at a time, each with the next member when one
/// fails it or is silent for half a second.
class etcd_writers {
public:
  using time_point = std::chrono::steady_clock::time_point;

  etcd_writers(const std::vector<etcd_endpoint>& members, uint64_t run);
  ~etcd_writers() { stop(); }
  etcd_writers(const etcd_writers&) = delete;
  etcd_writers& operator=(const etcd_writers&) = delete;

  void stop();
  /// Of the puts that were sent at `from` or later, when the first had succeeded.
  [[nodiscard]] std::optional<time_point> first_sent_after(time_point from) const;

private:
  void write(const std::vector<etcd_endpoint>& members, uint64_t run, size_t first);

  mutable std::mutex mutex_;
  std::vector<std::pair<time_point, time_point>> all_;
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

} // namespace novacron::bench
