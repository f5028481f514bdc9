#pragma once

#include "tests/integration/device_gate.hpp"
#include "tests/integration/two_hosts.hpp"

#include <memory>
#include <mutex>

namespace novacron::test {

/// Sends the streams of a host's guest through a gate, as long as it lives.
class gated_stream {
public:
  explicit gated_stream(migrating_host& source, uint64_t stop_after = device_gate::never);
  ~gated_stream();
  gated_stream(const gated_stream&) = delete;
  gated_stream& operator=(const gated_stream&) = delete;

  [[nodiscard]] uint64_t device_bytes() const;
  [[nodiscard]] bool stopped() const;
  /// The guest has stopped, and what the gate has let through is at the other host.
  bool stops(two_hosts& hosts) const;
  void release();

private:
  migrating_host& source_;
  mutable std::mutex mutex_;
  std::unique_ptr<device_gate> gate_;
};

/// What one whole migration of the guest takes.
struct whole_stream {
  uint64_t wire_bytes = 0; ///< from the source, and back to it
  uint64_t wire_bytes_back = 0;
  uint64_t device_bytes = 0;
  uint64_t connections = 0;
};

/// Moves the guest to the other host, where it must arrive.
whole_stream measure_whole(two_hosts& hosts);

} // namespace novacron::test
