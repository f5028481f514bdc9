#pragma once

#include "dwcp/transport/wakeup.hpp"
#include "messages/descriptor.hpp"

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

namespace novacron::testing {

/// Stands between source and destination on loopback, and does what links do.
class tcp_proxy {
public:
  static constexpr uint64_t never = std::numeric_limits<uint64_t>::max();

  /// What happens, and after how many bytes from the source, over all its
  /// connections. Set before the first connection.
  struct faults {
    uint64_t cut_all_after = never;
    uint64_t cut_one_after = never;   ///< the connection that carried the byte
    uint64_t cut_each = never;        ///< all connections, each time that so many more have passed;
    int cuts = 0;                     ///< so often. New ones are let through
    bool hold_later = false;          ///< after `cut_one_after` new connections get no answer
    uint64_t stall_one_after = never; ///< what the connection that carried the byte brings from
                                      ///< then on arrives when it is released
    uint64_t flip_bit_at = never;
    uint64_t hold_after = never; ///< from then on nothing passes, either way
  };

  tcp_proxy(uint16_t to, const faults& what);
  ~tcp_proxy();

  [[nodiscard]] uint16_t port() const { return port_; }
  /// Bytes that were carried, both ways.
  [[nodiscard]] uint64_t bytes() const { return there_ + back_; }
  [[nodiscard]] bool holding() const { return !released_ && there_ >= faults_.hold_after; }
  /// Connections that got no answer: those that are still there, and those that were.
  [[nodiscard]] int unanswered() const { return unanswered_; }
  [[nodiscard]] int unanswered_ended() const { return unanswered_ended_; }
  /// Holds nothing back any more.
  void release();

private:
  struct link {
    descriptor source;
    descriptor destination;
    bool source_ended = false;
    bool destination_ended = false;
    bool stalled = false;
  };

  void run();
  void accept();
  bool forward(link& x, bool there);

  const faults faults_;
  const uint16_t to_;
  descriptor listener_;
  uint16_t port_ = 0;
  wakeup stop_;
  wakeup look_again_;
  std::vector<link> links_;
  std::atomic<uint64_t> there_{0};
  std::atomic<uint64_t> back_{0};
  std::atomic<bool> released_{false};
  std::vector<descriptor> held_; ///< get no answer
  std::atomic<int> unanswered_{0};
  std::atomic<int> unanswered_ended_{0};
  bool cut_one_ = false;
  bool stalled_one_ = false;
  int cuts_ = 0;
  std::thread thread_;
};

} // namespace novacron::testing
