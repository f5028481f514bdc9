#include "hypervisor/simulated/simulated_driver.hpp"

namespace novacron {

namespace {

constexpr auto event_wait = std::chrono::hours{1};

} // namespace

simulated_driver::simulated_driver(std::shared_ptr<simulated_host> host) : host_{std::move(host)} {
  {
    simulated_host::lock held{*host_};
    host_->listeners_[this] = pending_;
  }
  thread_ = std::thread{[this] {
    for (;;) {
      auto changes = pending_->wait(event_wait);
      if (changes.stopping)
        return;
      std::lock_guard guard{listener_mutex_};
      if (listener_ && changes.all)
        listener_({});
      for (const auto& [vm, powered_off] : changes.guests)
        if (listener_)
          listener_({vm, powered_off});
    }
  }};
}

simulated_driver::~simulated_driver() {
  pending_->stop();
  thread_.join();
  simulated_host::lock held{*host_};
  host_->listeners_.erase(this);
  host_->remove_if(
      [this](const guest& x) { return x.phase == guest_phase::incoming && x.owner == this; });
}

void simulated_driver::subscribe(std::function<void(const guest_event&)> listener) {
  std::lock_guard guard{listener_mutex_};
  listener_ = std::move(listener);
}

result<std::vector<guest_status>> simulated_driver::list() {
  std::vector<guest_status> out;
  auto looked = host_->look("list", {}, [&](simulated_host& host) -> result<void> {
    for (const auto& [vm, x] : host.guests_)
      out.push_back({vm, x.spec.epoch, x.phase, x.migration_source});
    return {};
  });
  if (!looked)
    return looked.error();
  return out;
}

result<void> simulated_driver::create(const guest_spec& spec) {
  return host_->change("create", spec.vm, [spec](simulated_host& host) -> result<void> {
    auto [entry, fresh] = host.guests_.try_emplace(spec.vm);
    if (!fresh)
      return simulated_failure(hypervisor_errc::already_there, "create", spec.vm,
                               "it is on this host already");
    auto& x = entry->second;
    x.spec = spec;
    host.boot(x);
    host.tell(spec.vm);
    return {};
  });
}

result<void> simulated_driver::resume(vm_id vm) {
  return host_->change("resume", vm, [vm](simulated_host& host) -> result<void> {
    auto x = host.find("resume", vm);
    if (!x)
      return x.error();
    if ((*x)->phase == guest_phase::incoming)
      return simulated_failure(hypervisor_errc::refused, "resume", vm,
                               "its memory may not be complete; finish its migration instead");
    (*x)->migration_source = false;
    host.set_phase(**x, guest_phase::running);
    return {};
  });
}

result<void> simulated_driver::pause(vm_id vm) {
  return host_->change("pause", vm, [vm](simulated_host& host) -> result<void> {
    auto x = host.find("pause", vm);
    if (!x)
      return x.error();
    if ((*x)->phase == guest_phase::incoming)
      return simulated_failure(hypervisor_errc::refused, "pause", vm, "it is incoming");
    host.set_phase(**x, guest_phase::paused);
    return {};
  });
}

result<void> simulated_driver::shutdown(vm_id vm) {
  return host_->change("shutdown", vm, [vm](simulated_host& host) -> result<void> {
    auto x = host.find("shutdown", vm);
    if (!x)
      return x.error();
    if ((*x)->phase != guest_phase::running && (*x)->phase != guest_phase::stopping)
      return simulated_failure(hypervisor_errc::refused, "shutdown", vm, "it does not run");
    host.set_phase(**x, guest_phase::stopping);
    host.late_.push_back({host.now() + host.config_.late_by, [vm](simulated_host& later) {
                            later.remove_if([vm](const guest& y) {
                              return y.spec.vm == vm && y.phase == guest_phase::stopping;
                            });
                            return result<void>{};
                          }});
    return {};
  });
}

result<void> simulated_driver::destroy(vm_id vm) {
  return host_->change("destroy", vm, [vm](simulated_host& host) -> result<void> {
    if (auto x = host.find("destroy", vm); !x)
      return x.error();
    host.remove_if([vm](const guest& x) { return x.spec.vm == vm; });
    return {};
  });
}

result<guest_statistics> simulated_driver::statistics(vm_id vm) {
  guest_statistics out;
  auto looked = host_->look("statistics", vm, [&](simulated_host& host) -> result<void> {
    auto x = host.find("statistics", vm);
    if (!x)
      return x.error();
    out = {(*x)->spec.memory_mib, (*x)->cpu_time};
    return {};
  });
  if (!looked)
    return looked.error();
  return out;
}

result<void> simulated_driver::adopt(vm_id vm, novacron::epoch epoch) {
  return host_->change("adopt", vm, [vm, epoch](simulated_host& host) -> result<void> {
    auto x = host.find("adopt", vm);
    if (!x)
      return x.error();
    (*x)->spec.epoch = epoch;
    return {};
  });
}

std::unique_ptr<hypervisor> make_simulated_hypervisor(const simulated_config& config) {
  return std::make_unique<simulated_driver>(config.host);
}

} // namespace novacron
