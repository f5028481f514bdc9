#pragma once

#include "dwcp/guest_stream/stream_splitter.hpp"
#include "messages/descriptor.hpp"

#include <atomic>
#include <filesystem>
#include <functional>
#include <limits>
#include <thread>

namespace novacron::test {

/// Stands between the source's QEMU and the page sender, and passes bytes both
/// ways; after so many bytes of the devices' states, which come once all of the
/// guest's memory was sent and the guest is paused, it passes no more of them,
/// until `release`.
class device_gate {
public:
  static constexpr uint64_t never = std::numeric_limits<uint64_t>::max();

  /// Listens beside `sender`, the socket that the page sender listens on.
  explicit device_gate(std::filesystem::path sender, uint64_t stop_after = never);
  ~device_gate();
  device_gate(const device_gate&) = delete;
  device_gate& operator=(const device_gate&) = delete;

  [[nodiscard]] const std::filesystem::path& socket() const { return socket_; }
  /// Bytes of devices' states that QEMU has sent; and whether we hold them back.
  [[nodiscard]] uint64_t device_bytes() const { return device_bytes_; }
  [[nodiscard]] bool stopped() const { return stopped_; }
  /// Passes all on again.
  void release() { stop_after_ = never; }

private:
  void carry();
  void carry_back(int from, int to) const;
  bool pass_on(int from, int to);

  std::filesystem::path sender_;
  std::filesystem::path socket_;
  std::atomic<uint64_t> stop_after_;
  descriptor listener_;
  stream_splitter splitter_; ///< the carrying thread's
  std::atomic<uint64_t> device_bytes_{0};
  std::atomic<bool> stopped_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

} // namespace novacron::test
