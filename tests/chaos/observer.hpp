#pragma once

#include "lab.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

namespace novacron::chaos {

/// What one node's gateway says of the cluster.
struct cluster_sight {
  std::chrono::steady_clock::time_point asked;
  bool answered = false;
  std::string leader; ///< name; empty: none is known
  uint64_t term = 0;
  unsigned online = 0; ///< members, as the leader says; all when it isn't the leader's word
  unsigned hosts_up = 0;
  size_t life = 0;    ///< of the node's process: how many there were before it
  bool knows = false; ///< this process has said that all is well
};

/// Asks each gateway, the controllers' too, all the time how the cluster stands. Any thread.
class observer {
public:
  using clock = std::chrono::steady_clock;

  explicit observer(const lab& where);
  ~observer();
  observer(const observer&) = delete;
  observer& operator=(const observer&) = delete;

  /// By what most of those that are asked say; 0: nobody leads.
  [[nodiscard]] int leader() const;
  /// Each node, asked at `since` or later, says that all is well.
  [[nodiscard]] bool whole_since(clock::time_point since) const;
  /// Waits for that; when it was so.
  std::optional<clock::time_point> await_whole(clock::time_point since,
                                               std::chrono::milliseconds limit) const;
  /// When a node that was asked at `since` or later first said that something was
  /// wrong, or that another leader or term had come. What a process says that has not
  /// seen all well yet is no word on a fault: it has only just begun.
  [[nodiscard]] std::optional<clock::time_point> noticed_since(clock::time_point since) const;
  /// How the nodes see it now, in words.
  [[nodiscard]] std::string text() const;

private:
  struct change {
    clock::time_point asked;
    clock::time_point at;
  };

  void look(int node);
  void note(int node, const cluster_sight& seen);

  const lab& lab_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::map<int, cluster_sight> sights_; ///< by node, of all that are asked
  std::vector<change> changes_;
  std::vector<std::thread> threads_;
};

} // namespace novacron::chaos
