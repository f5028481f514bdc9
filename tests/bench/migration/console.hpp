#pragma once

#include "messages/descriptor.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace novacron::bench {

/// A line of the guest's tick, when it came.
struct tick {
  std::chrono::system_clock::time_point came;
  uint64_t number = 0;
  bool memory_good = false;
};

/// Reads a guest's serial line, which QEMU serves at a socket, and notes when
/// each tick comes. A thread of its own; calls are safe from any.
class console {
public:
  /// The socket must be there. Throws std::runtime_error.
  explicit console(const std::filesystem::path& socket);
  ~console();
  console(const console&) = delete;
  console& operator=(const console&) = delete;

  [[nodiscard]] std::vector<tick> ticks() const;
  /// Throws unless so many ticks have come before the limit is over.
  void wait_for_ticks(size_t count, std::chrono::seconds limit) const;

private:
  void read_all();
  void take_line(const std::string& line, std::chrono::system_clock::time_point now);

  descriptor socket_;
  descriptor stop_;
  mutable std::mutex mutex_;
  std::vector<tick> ticks_;
  std::thread thread_;
};

/// The longest time between one tick and the next from `begin` on: that of the
/// source's last before it counts as well.
std::chrono::milliseconds longest_gap(std::vector<tick> all,
                                      std::chrono::system_clock::time_point begin);

} // namespace novacron::bench
