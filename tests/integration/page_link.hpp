#pragma once

#include "messages/descriptor.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <list>
#include <mutex>
#include <thread>

namespace novacron::test {

/// What the link between a page sender and a door does, by bytes from the
/// sender over all its connections.
struct link_faults {
  static constexpr uint64_t never = std::numeric_limits<uint64_t>::max();
  uint64_t cut_after = never;      ///< all connections end, and no new one comes
  uint64_t cut_once_after = never; ///< all connections end, once; new ones may come
  uint64_t flip_bit_at = never;    ///< in the byte of this number
  uint64_t hold_after = never;     ///< nothing passes any more, either way, until `release`
  uint64_t per_second = never;     ///< no more than that passes
};

/// A link on loopback that can be held, cut, made narrow, and made to lie.
class page_link {
public:
  page_link(uint16_t to, link_faults faults);
  ~page_link();
  page_link(const page_link&) = delete;
  page_link& operator=(const page_link&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] uint64_t carried() const { return carried_; }
  /// Of the sender's that reached the door so far.
  [[nodiscard]] uint64_t connections() const { return made_; }
  [[nodiscard]] bool holding() const { return carried_ >= hold_after_ && !cut_; }
  [[nodiscard]] bool is_cut() const { return cut_; }
  void release() { hold_after_ = link_faults::never; }
  void cut() { cut_ = true; }

private:
  struct connection {
    descriptor sender;
    descriptor door;
    std::thread there;
    std::thread back;
  };

  void listen();
  /// `early`: of a connection that came before the one cut.
  void carry(int from, int to, bool there, bool early);
  [[nodiscard]] bool is_over(bool early) const { return cut_ || (early && cut_once_); }
  /// Waits until `from` can be read. False: the connection ends.
  bool wait_readable(int from, bool early) const;
  bool pass(int to, const char* bytes, size_t count, bool early) const;
  /// Returns when the link has carried so many bytes more.
  void take_time(size_t count);

  const uint16_t to_;
  const link_faults faults_;
  descriptor listener_;
  uint16_t port_ = 0;
  std::atomic<uint64_t> hold_after_;
  std::atomic<uint64_t> carried_{0};
  std::atomic<uint64_t> made_{0};
  std::atomic<bool> cut_{false};
  std::atomic<bool> cut_once_{false};
  std::mutex pace_;
  std::chrono::steady_clock::time_point free_at_; ///< guarded by `pace_`
  std::list<connection> connections_;             ///< the listening thread's
  std::thread thread_;
};

} // namespace novacron::test
