#pragma once

#include "messages/descriptor.hpp"
#include "messages/result.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <span>

namespace novacron {

/// A UNIX stream socket of the simulation. Everything ends early when `stop`
/// becomes true, and with `aborted` when the peer is silent beyond the limit.
class stream_socket {
public:
  static constexpr std::chrono::seconds silence_limit{30};

  stream_socket() = default;
  explicit stream_socket(int fd) : descriptor_{fd} {}

  static result<stream_socket> listen(const std::filesystem::path& path);
  static result<stream_socket> connect(const std::filesystem::path& path);

  /// Waits as long as it takes, unless stopped.
  result<stream_socket> accept(const std::atomic<bool>& stop);
  result<void> write(std::span<const std::byte> bytes, const std::atomic<bool>& stop);
  /// Fills `bytes`; an end of the stream before is a failure.
  result<void> read(std::span<std::byte> bytes, const std::atomic<bool>& stop,
                    std::chrono::milliseconds limit = silence_limit);
  /// Ends whatever waits on it, here and at the peer. Any thread.
  void shut() const;
  /// The process at the other end; 0 when it can't be told.
  [[nodiscard]] int peer_pid() const;

private:
  result<void> wait(short events, const std::atomic<bool>& stop, std::chrono::milliseconds limit);
  descriptor descriptor_;
};

} // namespace novacron
