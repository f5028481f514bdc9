#pragma once

#include "hypervisor/fencer/fencer.hpp"
#include "tests/becomes_true.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace novacron::test {

bool alive(int pid);

/// A host of the test's own: a state folder with a fencer, a libvirtd and QEMU
/// guests in it. Ends all of that and removes the folder.
class fenced_host {
public:
  explicit fenced_host(libvirt_mode mode = libvirt_mode::session);
  ~fenced_host();
  fenced_host(const fenced_host&) = delete;
  fenced_host& operator=(const fenced_host&) = delete;

  /// Starts the fencer, or finds it, and waits until libvirtd listens.
  fencer_client attach();
  /// As `attach`, without caring for libvirtd.
  fencer_client attach_fencer();

  /// A mark of this host for a guest of a new VM.
  [[nodiscard]] guest_mark new_mark(bool ha) const;
  /// Has libvirt create a guest, paused and without a kernel; returns what virsh said.
  std::string create_guest(const guest_mark& mark) const;
  /// Creates a guest that must come up; returns its QEMU's pid.
  int start_guest(const guest_mark& mark) const;
  int start_guest(bool ha) const { return start_guest(new_mark(ha)); }
  /// What libvirtd lists, by virsh.
  int guests_listed() const;
  /// What runs of this host, by /proc.
  std::vector<int> guests_running() const;
  /// What virsh says; the exit status is dropped.
  std::string virsh(const std::string& arguments) const;

  fencer_config config;
};

} // namespace novacron::test
