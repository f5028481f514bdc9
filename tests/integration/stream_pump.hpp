#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <thread>

namespace novacron::test {

struct pump_options {
  /// Closes both ends after so many bytes from the source.
  uint64_t cut_after = std::numeric_limits<uint64_t>::max();
  /// At most so many bytes a second from the source; 0: as fast as they come.
  uint64_t bytes_per_second = 0;
  /// A copy of what the source sent.
  std::filesystem::path capture = {};
};

/// Stands where a DWCP session stands: listens on the source's stream socket,
/// connects to the destination's once somebody has come, and carries bytes both
/// ways, half-closes included. Changes nothing, checks nothing.
class stream_pump {
public:
  stream_pump(const std::filesystem::path& source, const std::filesystem::path& destination,
              pump_options options = {});
  ~stream_pump();
  stream_pump(const stream_pump&) = delete;
  stream_pump& operator=(const stream_pump&) = delete;

  uint64_t sent_bytes() const { return sent_; }
  uint64_t returned_bytes() const { return returned_; }

private:
  void carry();
  bool forward(int from, int to, std::ofstream& copy);
  bool backward(int from, int to);

  std::filesystem::path destination_;
  pump_options options_;
  int listener_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> sent_{0};
  std::atomic<uint64_t> returned_{0};
  std::thread thread_;
};

} // namespace novacron::test
