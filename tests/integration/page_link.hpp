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
  uint64_t cut_one_after = never;  ///< the one with that byte ends, once; new ones may come
  bool on_the_way_back = false;    ///< the cuts count the door's bytes, not the sender's
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
  /// Bytes from the sender, and from the door.
  [[nodiscard]] uint64_t carried() const { return carried_; }
  [[nodiscard]] uint64_t returned() const { return returned_; }
  /// Of the sender's that reached the door so far.
  [[nodiscard]] uint64_t connections() const { return made_; }
  [[nodiscard]] bool holding() const { return carried_ >= hold_after_ && !cut_; }
  [[nodiscard]] bool is_cut() const { return cut_; }
  /// Nothing passes from now on, until `release`.
  void hold() { hold_after_ = 0; }
  void release() { hold_after_ = link_faults::never; }
  void cut() { cut_ = true; }
  /// Ends one connection, counted from 0 in the order in which they came.
  void cut_one(uint64_t number) { cut_number_ = number; }

private:
  struct connection {
    uint64_t number = 0;
    bool early = false; ///< it came before all were cut once
    descriptor sender;
    descriptor door;
    std::thread there;
    std::thread back;
  };

  void listen();
  void carry(const connection& x, bool there);
  /// What the faults do to bytes of that connection.
  void meet(const connection& x, bool there, char* bytes, size_t count);
  [[nodiscard]] bool is_over(const connection& x) const {
    return cut_ || (x.early && cut_once_) || x.number == cut_number_;
  }
  /// Waits until `from` can be read. False: the connection ends.
  bool wait_readable(int from, const connection& x) const;
  bool pass(int to, const char* bytes, size_t count, const connection& x) const;
  /// Returns when the link has carried so many bytes more.
  void take_time(size_t count);

  const uint16_t to_;
  const link_faults faults_;
  descriptor listener_;
  uint16_t port_ = 0;
  std::atomic<uint64_t> hold_after_;
  std::atomic<uint64_t> carried_{0};
  std::atomic<uint64_t> returned_{0};
  std::atomic<uint64_t> made_{0};
  std::atomic<bool> cut_{false};
  std::atomic<bool> cut_once_{false};
  std::atomic<uint64_t> cut_number_{link_faults::never}; ///< of the connection that is cut
  std::mutex pace_;
  std::chrono::steady_clock::time_point free_at_; ///< guarded by `pace_`
  std::list<connection> connections_;             ///< the listening thread's
  std::thread thread_;
};

} // namespace novacron::test
