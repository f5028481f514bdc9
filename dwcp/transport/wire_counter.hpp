#pragma once

#include <atomic>
#include <cstdint>

namespace novacron {

/// Bytes that sockets carried, below TLS. Safe from any thread.
struct wire_counter {
  std::atomic<uint64_t> sent_bytes{0};
  std::atomic<uint64_t> received_bytes{0};

  [[nodiscard]] uint64_t total() const { return sent_bytes + received_bytes; }
};

} // namespace novacron
