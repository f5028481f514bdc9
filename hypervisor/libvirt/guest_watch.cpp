#include "hypervisor/libvirt/guest_watch.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr auto first_retry = std::chrono::milliseconds{100};
constexpr auto last_retry = std::chrono::milliseconds{2'000};
constexpr auto connection_check = std::chrono::milliseconds{1'000};

using shared_pending = std::shared_ptr<pending_changes>;

uuid id_of(virDomain* domain) {
  unsigned char bytes[VIR_UUID_BUFLEN] = {};
  virDomainGetUUID(domain, bytes);
  uuid x;
  for (int i = 0; i < 8; ++i) {
    x.high = x.high << 8 | bytes[i];
    x.low = x.low << 8 | bytes[8 + i];
  }
  return x;
}

// libvirt owns what it passes back to us, and releases it with `release` after the last event.
int lifecycle(virConnect*, virDomain* domain, int event, int detail, void* opaque) {
  // QEMU says whether the guest wanted it; a QEMU that was told to end, or died, says otherwise.
  auto powered_off
      = event == VIR_DOMAIN_EVENT_SHUTDOWN && detail == VIR_DOMAIN_EVENT_SHUTDOWN_GUEST;
  (*static_cast<shared_pending*>(opaque))->add(vm_id{id_of(domain)}, powered_off);
  return 0;
}

void closed(virConnect*, int, void* opaque) {
  (*static_cast<shared_pending*>(opaque))->add_all();
}

void release(void* opaque) {
  delete static_cast<shared_pending*>(opaque);
}

std::function<void()> report_to(const shared_pending& pending, virConnect* connection) {
  auto held = std::make_unique<shared_pending>(pending);
  int lifecycle_id
      = virConnectDomainEventRegisterAny(connection, nullptr, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(lifecycle), held.get(), release);
  if (lifecycle_id >= 0)
    (void)held.release(); // libvirt frees it
  held = std::make_unique<shared_pending>(pending);
  bool told_of_close
      = virConnectRegisterCloseCallback(connection, closed, held.get(), release) == 0;
  if (told_of_close)
    (void)held.release(); // libvirt frees it
  return [=] {
    if (lifecycle_id >= 0)
      virConnectDomainEventDeregisterAny(connection, lifecycle_id);
    if (told_of_close)
      virConnectUnregisterCloseCallback(connection, closed);
  };
}

} // namespace

guest_watch::guest_watch(std::string uri)
    : link_{std::move(uri), [pending = pending_](virConnect* x) { return report_to(pending, x); }},
      thread_{[this] { run(); }} {}

guest_watch::~guest_watch() {
  pending_->stop();
  thread_.join();
  link_.drop();
}

void guest_watch::subscribe(std::function<void(const guest_event&)> listener) {
  std::lock_guard guard{mutex_};
  listener_ = std::move(listener);
}

void guest_watch::tell(const guest_event& event) {
  std::lock_guard guard{mutex_};
  if (listener_)
    listener_(event);
}

void guest_watch::run() {
  connect_pointer current;
  auto retry = first_retry;
  for (;;) {
    auto changes = pending_->wait(current ? connection_check : retry);
    if (changes.stopping)
      return;
    for (const auto& [vm, powered_off] : changes.guests)
      tell({vm, powered_off});
    auto connection = link_.get();
    if (!connection) {
      current.reset();
      retry = std::min(retry * 2, last_retry);
      continue;
    }
    retry = first_retry;
    if (*connection != current) {
      current = *connection;
      tell({});
    }
  }
}

} // namespace novacron
