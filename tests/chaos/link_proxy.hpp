#pragma once

#include "dwcp/transport/wakeup.hpp"
#include "messages/descriptor.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <random>
#include <string>
#include <thread>

namespace novacron::chaos {

/// How one direction of a link is.
struct link_condition {
  bool held = false; ///< nothing passes; what is under way waits, as behind a dead switch
  std::chrono::milliseconds delay{0};
  std::chrono::milliseconds jitter{0}; ///< the delay is this much more or less, evenly
  /// Of segments of 1,448 bytes that are lost. TCP hides losses behind time: each
  /// holds the stream up for 200 ms (the shortest retransmission timeout of Linux),
  /// and a retransmission that is lost again for twice as long as the one before.
  unsigned loss_percent = 0;
  uint64_t bytes_per_second = 0; ///< 0: as fast as it goes

  friend bool operator==(const link_condition&, const link_condition&) = default;
};

/// Stands between two nodes that speak TCP, and makes the network between them
/// what it is told to be, while it runs: what netem does to packets, done to
/// streams, without any rights.
///
/// One thread. Bytes never overtake each other, are never changed, and at most
/// 1 MiB waits in each direction of a connection: then the sender feels it.
class link_proxy {
public:
  enum direction : uint8_t { there, back }; ///< there: from who dials

  /// Passes what comes to `port()` on to 127.0.0.1:`to`.
  link_proxy(uint16_t to, uint64_t seed);
  ~link_proxy();
  link_proxy(const link_proxy&) = delete;
  link_proxy& operator=(const link_proxy&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  /// From now on, for connections that stand, too. Any thread.
  void set(direction way, const link_condition& condition);
  /// That were passed on, both ways. Any thread.
  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  /// That came in, both ways; what isn't passed on yet is under way.
  [[nodiscard]] uint64_t taken() const { return taken_; }

private:
  using clock = std::chrono::steady_clock;

  struct chunk {
    clock::time_point due;
    std::string bytes;
    size_t sent = 0;
  };
  struct stream {
    std::deque<chunk> queue;
    size_t queued = 0;
    clock::time_point last_due;
    bool ended = false;  ///< its source has said all
    bool passed = false; ///< and its destination knows
  };
  struct connection {
    std::array<descriptor, 2> ends; ///< of `there`: from 0 to 1
    std::array<stream, 2> streams;
  };

  void run();
  void accept();
  /// False: the connection is over.
  bool take(connection& x, direction way);
  bool give(connection& x, direction way);
  [[nodiscard]] bool may_give(const stream& x, direction way, clock::time_point now) const;
  [[nodiscard]] std::array<link_condition, 2> conditions() const;
  clock::time_point due(size_t bytes, direction way, const stream& x);

  const uint16_t to_;
  descriptor listener_;
  uint16_t port_ = 0;
  wakeup stop_;
  wakeup changed_;
  mutable std::mutex mutex_;
  std::array<link_condition, 2> told_;
  std::array<link_condition, 2> now_; ///< the thread's copy
  std::array<clock::time_point, 2> free_at_;
  std::list<connection> connections_;
  std::mt19937_64 random_;
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> taken_{0};
  std::thread thread_;
};

} // namespace novacron::chaos
