#include "actors/vm/guest_calls.hpp"

#include "hypervisor/errors.hpp"

namespace novacron {

std::optional<failure> make_call(const host_context& context, guest_call call,
                                 const vm_record& record, std::chrono::nanoseconds boot_now) {
  auto done = [&]() -> result<void> {
    auto& driver = *context.driver;
    const bool lets_run = call == guest_call::create || call == guest_call::resume;
    if (lets_run && boot_now >= context.guarded_until.load())
      return make_failure(hypervisor_errc::unreachable,
                          "host " + context.self.name + ": cannot " + to_string(call) + " vm "
                              + record.name
                              + ": the host's lease is over; it goes on once the "
                                "lease is renewed");
    switch (call) {
    case guest_call::create: {
      auto spec = make_guest_spec(context, record, record.epoch);
      return spec ? driver.create(*spec) : result<void>{spec.error()};
    }
    case guest_call::resume:
      return driver.resume(record.id);
    case guest_call::pause:
      return driver.pause(record.id);
    case guest_call::shutdown:
      return driver.shutdown(record.id);
    case guest_call::destroy:
      return driver.destroy(record.id);
    }
    return {};
  }();
  return done ? std::nullopt : std::optional{done.error()};
}

} // namespace novacron
