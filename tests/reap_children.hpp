#pragma once

#include <chrono>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

namespace novacron {

/// Makes this process reap its orphaned descendants as they end, from the first
/// call on. A guest's QEMU outlives its libvirtd and becomes a child of the nearest
/// subreaper, and libvirt waits until a QEMU that it ends is reaped.
inline void reap_children_from_now_on() {
  static const bool once = [] {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    std::thread{[] {
      for (;;) {
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10}); // poll interval
      }
    }}.detach();
    return true;
  }();
  static_cast<void>(once);
}

} // namespace novacron
