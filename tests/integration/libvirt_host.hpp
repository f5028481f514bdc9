#pragma once

#include "hypervisor/fencer/libvirtd_process.hpp"
#include "hypervisor/hypervisor.hpp"
#include "tests/becomes_true.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace novacron::test {

/// Whether whoever runs the tests can start a libvirtd in this mode; says why not.
bool possible(libvirt_mode mode);

/// A host of the test's own: a state folder, a libvirtd without a fencer, the
/// guest's kernel and initramfs. Ends all that it started, guests first, and
/// removes the folder.
class libvirt_host {
public:
  explicit libvirt_host(libvirt_mode mode);
  ~libvirt_host();
  libvirt_host(const libvirt_host&) = delete;
  libvirt_host& operator=(const libvirt_host&) = delete;

  /// Starts libvirtd and waits until it listens.
  void start_daemon();
  /// SIGKILL, and waits for its death. Guests run on.
  void kill_daemon();

  /// A driver of our own, as an agent has it. Ends the test when there is none.
  std::unique_ptr<hypervisor> connect() { return connect_as(config_.host); }
  /// The same libvirtd, seen by the agent of another host.
  std::unique_ptr<hypervisor> connect_as(node_id host);

  guest_spec spec(vm_id vm, epoch number = {1, 1}) const;
  std::filesystem::path stream_socket(const std::string& name) const;
  /// QEMU processes with our mark, whatever libvirt says.
  int processes(vm_id vm) const;
  /// SIGKILL to the guest's QEMU.
  void kill_guest(vm_id vm) const;

  const fencer_config& config() const { return config_; }

  std::vector<network_card> cards; ///< that `spec` gives to guests

private:
  fencer_config config_;
  libvirtd_process daemon_;
  int pid_ = 0;
};

/// What `list` says of a VM; nothing when it isn't there. Ends the test when
/// `list` fails.
std::optional<guest_status> status_of(hypervisor& driver, vm_id vm);
bool has_phase(hypervisor& driver, vm_id vm, guest_phase phase);

} // namespace novacron::test
