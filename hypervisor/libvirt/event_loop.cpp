#include "hypervisor/libvirt/event_loop.hpp"

#include <chrono>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <mutex>
#include <thread>

namespace novacron {

namespace {

void stay_silent(void*, virErrorPtr) {
  // libvirt prints errors to stderr by itself unless told otherwise; ours are returned.
}

void run_forever() {
  for (;;)
    if (virEventRunDefaultImpl() < 0)
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
}

} // namespace

void start_libvirt_event_loop() {
  static std::once_flag once;
  std::call_once(once, [] {
    virInitialize();
    virSetErrorFunc(nullptr, stay_silent);
    virEventRegisterDefaultImpl();
    std::thread{run_forever}.detach();
  });
}

} // namespace novacron
