#include "tests/integration/interrupting_hypervisor.hpp"

#include "hypervisor/errors.hpp"

#include <utility>

namespace novacron::test {

std::string to_string(guest_step x) {
  constexpr const char* names[] = {"create",  "resume",  "destroy", "adopt",  "begin",
                                   "prepare", "perform", "finish",  "cancel", "confirm"};
  return names[static_cast<size_t>(x)];
}

void interruptions::at_each_step(hook what) {
  std::lock_guard lock{mutex_};
  hook_ = std::move(what);
}

void interruptions::send_streams_by(detour where) {
  std::lock_guard lock{mutex_};
  detour_ = std::move(where);
}

void interruptions::clear() {
  at_each_step({});
  send_streams_by({});
}

void interruptions::run(guest_step step, moment when) const {
  log_.debug("test", to_string(step) + (when == moment::before ? " begins" : " has ended"),
             {{"host", host_}});
  std::unique_lock lock{mutex_};
  auto what = hook_;
  lock.unlock();
  if (what)
    what(step, when);
}

std::filesystem::path interruptions::stream_socket(const std::filesystem::path& wanted) const {
  std::unique_lock lock{mutex_};
  auto where = detour_;
  lock.unlock();
  return where ? where(wanted) : wanted;
}

std::weak_ptr<hypervisor> interrupting_hypervisor::die() {
  std::unique_lock lock{mutex_};
  auto gone = std::move(real_);
  real_ = nullptr;
  lock.unlock();
  return gone;
}

std::shared_ptr<hypervisor> interrupting_hypervisor::real() const {
  std::lock_guard lock{mutex_};
  return real_;
}

template <class Call>
auto interrupting_hypervisor::pass(Call call) -> decltype(call(std::declval<hypervisor&>())) {
  if (auto driver = real())
    return call(*driver);
  // What still runs of the dead agent must learn nothing that it could act upon.
  return make_failure(hypervisor_errc::outcome_unknown, "this agent is dead");
}

template <class Call>
auto interrupting_hypervisor::step(guest_step what, Call call)
    -> decltype(call(std::declval<hypervisor&>())) {
  plan_->run(what, moment::before);
  auto outcome = pass(std::move(call));
  plan_->run(what, moment::after);
  return outcome;
}

std::string interrupting_hypervisor::description() {
  auto driver = real();
  return driver ? driver->description() : std::string{};
}

std::string interrupting_hypervisor::accelerator() {
  auto driver = real();
  return driver ? driver->accelerator() : std::string{};
}

std::string interrupting_hypervisor::live_migration_problem() {
  auto driver = real();
  return driver ? driver->live_migration_problem() : std::string{};
}

void interrupting_hypervisor::subscribe(std::function<void(const guest_event&)> listener) {
  if (auto driver = real())
    driver->subscribe(std::move(listener));
}

result<host_capacity> interrupting_hypervisor::capacity() {
  return pass([](hypervisor& x) { return x.capacity(); });
}

result<std::vector<guest_status>> interrupting_hypervisor::list() {
  return pass([](hypervisor& x) { return x.list(); });
}

result<void> interrupting_hypervisor::create(const guest_spec& spec) {
  return step(guest_step::create, [&](hypervisor& x) { return x.create(spec); });
}

result<void> interrupting_hypervisor::resume(vm_id vm) {
  return step(guest_step::resume, [=](hypervisor& x) { return x.resume(vm); });
}

result<void> interrupting_hypervisor::pause(vm_id vm) {
  return pass([=](hypervisor& x) { return x.pause(vm); });
}

result<void> interrupting_hypervisor::shutdown(vm_id vm) {
  return pass([=](hypervisor& x) { return x.shutdown(vm); });
}

result<void> interrupting_hypervisor::destroy(vm_id vm) {
  return step(guest_step::destroy, [=](hypervisor& x) { return x.destroy(vm); });
}

result<guest_statistics> interrupting_hypervisor::statistics(vm_id vm) {
  return pass([=](hypervisor& x) { return x.statistics(vm); });
}

result<void> interrupting_hypervisor::adopt(vm_id vm, novacron::epoch epoch) {
  return step(guest_step::adopt, [=](hypervisor& x) { return x.adopt(vm, epoch); });
}

result<migration_offer> interrupting_hypervisor::migration_begin(vm_id vm) {
  return step(guest_step::begin, [=](hypervisor& x) { return x.migration_begin(vm); });
}

result<std::string> interrupting_hypervisor::migration_prepare(const prepare_request& request) {
  return step(guest_step::prepare, [&](hypervisor& x) { return x.migration_prepare(request); });
}

result<std::string> interrupting_hypervisor::migration_perform(vm_id vm,
                                                               const perform_request& request) {
  return step(guest_step::perform, [&](hypervisor& x) {
    auto there = request;
    there.stream_socket = plan_->stream_socket(request.stream_socket);
    return x.migration_perform(vm, there);
  });
}

result<std::string> interrupting_hypervisor::migration_finish(vm_id vm, const std::string& cookie,
                                                              bool cancelled) {
  return step(cancelled ? guest_step::cancel : guest_step::finish,
              [&](hypervisor& x) { return x.migration_finish(vm, cookie, cancelled); });
}

result<void> interrupting_hypervisor::migration_confirm(vm_id vm, const std::string& cookie) {
  return step(guest_step::confirm, [&](hypervisor& x) { return x.migration_confirm(vm, cookie); });
}

result<void> interrupting_hypervisor::migration_abort(vm_id vm) {
  return pass([=](hypervisor& x) { return x.migration_abort(vm); });
}

result<migration_job> interrupting_hypervisor::migration_statistics(vm_id vm) {
  return pass([=](hypervisor& x) { return x.migration_statistics(vm); });
}

result<void> interrupting_hypervisor::set_max_downtime(vm_id vm, std::chrono::milliseconds limit) {
  return pass([=](hypervisor& x) { return x.set_max_downtime(vm, limit); });
}

} // namespace novacron::test
