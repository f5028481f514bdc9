#pragma once

#include "messages/descriptor.hpp"
#include "tests/lab/link/link_queue.hpp"
#include "tests/lab/link/network_namespace.hpp"

#include <atomic>
#include <optional>
#include <string>
#include <thread>

namespace novacron::lab {

/// Why links can't be made here; nothing: they can.
std::optional<std::string> why_no_links();

/// Two network namespaces with a link between them that has a rate, a delay,
/// loss and a queue, in user space: a TUN device in each, and a thread for each
/// direction. For machines whose kernel has no netem, and for tests that
/// shouldn't touch the machine's own network. Root's.
///
/// From 1 Gbit/s on, where nothing is to be lost, packets travel as large as TCP
/// makes them, for the processors' sake, and count as what they would be on a wire.
class emulated_link {
public:
  static constexpr const char* address_a = "10.77.0.1";
  static constexpr const char* address_b = "10.77.0.2";

  /// The namespaces' names are `novacron-<pid>-<suffix>`. Removes what killed
  /// processes left behind. Throws std::system_error.
  explicit emulated_link(const link_shape& shape, const std::string& suffix_a = "a",
                         const std::string& suffix_b = "b");
  ~emulated_link();
  emulated_link(const emulated_link&) = delete;
  emulated_link& operator=(const emulated_link&) = delete;

  [[nodiscard]] const network_namespace& a() const { return a_; }
  [[nodiscard]] const network_namespace& b() const { return b_; }

  /// TCP's congestion control for connections that are opened in either namespace
  /// from now on, as in "bbr"; without this, it is the machine's. Throws
  /// std::runtime_error when the kernel has none of that name, or keeps it from
  /// namespaces (it must be in the machine's net.ipv4.tcp_allowed_congestion_control).
  void set_congestion_control(const std::string& name) const;
  [[nodiscard]] std::string congestion_control() const;

  /// What went one way since the start, in packets of at most 1,500 bytes.
  struct traffic {
    std::atomic<uint64_t> bytes{0}; ///< with the IP headers; what was lost, too
    std::atomic<uint64_t> dropped{0};
    std::atomic<uint64_t> lost{0};
  };
  [[nodiscard]] const traffic& from_a() const { return from_a_; }
  [[nodiscard]] const traffic& from_b() const { return from_b_; }

private:
  void carry(int from, int to, traffic& count, uint64_t seed);

  const link_shape shape_;
  const network_namespace a_;
  const network_namespace b_;
  descriptor device_a_;
  descriptor device_b_;
  descriptor stop_; ///< readable: the end
  traffic from_a_;
  traffic from_b_;
  std::thread there_;
  std::thread back_;
};

} // namespace novacron::lab
