#pragma once

#include "hypervisor/fencer/libvirtd_process.hpp"
#include "hypervisor/hypervisor.hpp"
#include "tests/bench/migration/saved_state.hpp"
#include "tests/lab/link/network_namespace.hpp"

#include <condition_variable>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace novacron::bench {

/// A host with a libvirtd of its own in session mode, in a network namespace,
/// and our driver for it, which sees the guests of `guests_of`. They and libvirtd
/// are killed with this. Throws std::runtime_error.
class libvirt_side {
public:
  using time = std::chrono::steady_clock::time_point;

  libvirt_side(const lab::network_namespace& where, node_id guests_of, const bench_place& place);
  ~libvirt_side();
  libvirt_side(const libvirt_side&) = delete;
  libvirt_side& operator=(const libvirt_side&) = delete;

  hypervisor& driver() { return *driver_; }
  /// For libvirt's own calls.
  [[nodiscard]] std::string uri() const { return daemon_.uri(); }

  [[nodiscard]] guest_spec spec(vm_id vm, const std::string& kernel_arguments,
                                uint64_t number) const;
  [[nodiscard]] std::filesystem::path socket(const std::string& name) const;

  /// When the guest was first seen to run here after the last call; nothing when
  /// it doesn't within the limit.
  std::optional<time> runs(vm_id vm, std::chrono::milliseconds limit);

private:
  void keep_daemon(const lab::network_namespace& where, std::promise<void> started);

  const node_id guests_of_;
  const std::filesystem::path state_;
  fencer_config config_;
  libvirtd_process daemon_;
  std::promise<void> end_;
  std::thread keeper_; ///< libvirtd is its child and in its namespace, and is killed when it ends
  std::unique_ptr<hypervisor> driver_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool event_ = false;
};

} // namespace novacron::bench
