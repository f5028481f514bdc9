#include "hypervisor/simulated/machine_driver.hpp"

#include "hypervisor/fencer/outliving_process.hpp"

namespace novacron {

using namespace std::chrono_literals;

namespace {

constexpr auto start_patience = 10s;
constexpr auto ask_every = 20ms;
constexpr auto start_again_after = 200ms;
constexpr auto whole_life = std::chrono::hours{24 * 365};

failure unreachable(const machine_config& config, const std::string& why) {
  return make_failure(hypervisor_errc::unreachable, "the simulated machine of "
                                                        + config.state.native() + ' ' + why
                                                        + "; see its machine.log");
}

} // namespace

machine_driver::machine_driver(machine_config config, std::filesystem::path program)
    : config_{std::move(config)}, program_{std::move(program)} {}

machine_driver::~machine_driver() {
  stop_ = true;
  if (thread_.joinable())
    thread_.join();
}

result<void> machine_driver::begin() {
  auto events = attach_or_start();
  if (!events)
    return events.error();
  thread_ = std::thread{[this, first = std::move(*events)]() mutable { follow(std::move(first)); }};
  return {};
}

void machine_driver::subscribe(std::function<void(const guest_event&)> listener) {
  std::lock_guard lock{listener_mutex_};
  listener_ = std::move(listener);
}

result<stream_socket> machine_driver::attach() {
  auto stream = reach_machine(config_);
  if (!stream)
    return stream;
  wire_writer request;
  request(machine_call::attach, uint64_t{0});
  auto answer = exchange(*stream, machine_call::attach, request, stop_);
  if (!answer)
    return answer.error();
  uint64_t session = 0;
  wire_reader in{*answer};
  in(session);
  session_ = session;
  return stream;
}

result<stream_socket> machine_driver::attach_or_start() {
  auto stream = attach();
  if (stream)
    return stream;
  std::error_code error;
  std::filesystem::create_directories(config_.state, error);
  auto arguments = machine_arguments(config_);
  arguments.insert(arguments.begin(), std::filesystem::absolute(program_).native());
  auto started = start_outliving(arguments, config_.state / "machine.log");
  if (!started)
    return started.error();
  const auto end = std::chrono::steady_clock::now() + start_patience;
  while (!stop_ && !stream && std::chrono::steady_clock::now() < end) {
    // Ours may have met another, which had started first: that one will do.
    const bool ended = started->dead(ask_every);
    stream = attach();
    if (!stream && ended)
      return unreachable(config_, "ended as soon as it was started");
  }
  return stream;
}

void machine_driver::follow(stream_socket events) {
  for (;;) {
    vm_id vm;
    auto message = receive_message(events, stop_, whole_life);
    while (!message && !stop_) {
      session_ = 0;
      vm = {};
      if (auto again = attach_or_start()) {
        events = std::move(*again);
        break;
      }
      std::this_thread::sleep_for(start_again_after);
    }
    if (stop_)
      return;
    if (message) {
      wire_reader in{*message};
      in(vm);
    }
    std::lock_guard lock{listener_mutex_};
    if (listener_)
      listener_({vm});
  }
}

template <class Value, class... Parameters>
result<Value> machine_driver::ask(machine_call call, result<Value> (hypervisor::*)(Parameters...),
                                  const std::type_identity_t<std::decay_t<Parameters>>&... given) {
  const auto session = session_.load();
  if (session == 0)
    return unreachable(config_, "is being started again");
  auto stream = reach_machine(config_);
  if (!stream)
    return stream.error();
  return ask_machine<Value>(*stream, call, session, stop_, given...);
}

result<host_capacity> machine_driver::capacity() {
  return ask(machine_call::capacity, &hypervisor::capacity);
}

result<std::vector<guest_status>> machine_driver::list() {
  return ask(machine_call::list, &hypervisor::list);
}

result<void> machine_driver::create(const guest_spec& spec) {
  return ask(machine_call::create, &hypervisor::create, spec);
}

result<void> machine_driver::resume(vm_id vm) {
  return ask(machine_call::resume, &hypervisor::resume, vm);
}

result<void> machine_driver::pause(vm_id vm) {
  return ask(machine_call::pause, &hypervisor::pause, vm);
}

result<void> machine_driver::shutdown(vm_id vm) {
  return ask(machine_call::shutdown, &hypervisor::shutdown, vm);
}

result<void> machine_driver::destroy(vm_id vm) {
  return ask(machine_call::destroy, &hypervisor::destroy, vm);
}

result<guest_statistics> machine_driver::statistics(vm_id vm) {
  return ask(machine_call::statistics, &hypervisor::statistics, vm);
}

result<void> machine_driver::adopt(vm_id vm, novacron::epoch epoch) {
  return ask(machine_call::adopt, &hypervisor::adopt, vm, epoch);
}

result<migration_offer> machine_driver::migration_begin(vm_id vm) {
  return ask(machine_call::migration_begin, &hypervisor::migration_begin, vm);
}

result<std::string> machine_driver::migration_prepare(const prepare_request& request) {
  return ask(machine_call::migration_prepare, &hypervisor::migration_prepare, request);
}

result<std::string> machine_driver::migration_perform(vm_id vm, const perform_request& request) {
  return ask(machine_call::migration_perform, &hypervisor::migration_perform, vm, request);
}

result<std::string> machine_driver::migration_finish(vm_id vm, const std::string& cookie,
                                                     bool cancelled) {
  return ask(machine_call::migration_finish, &hypervisor::migration_finish, vm, cookie, cancelled);
}

result<void> machine_driver::migration_confirm(vm_id vm, const std::string& cookie) {
  return ask(machine_call::migration_confirm, &hypervisor::migration_confirm, vm, cookie);
}

result<void> machine_driver::migration_abort(vm_id vm) {
  return ask(machine_call::migration_abort, &hypervisor::migration_abort, vm);
}

result<migration_job> machine_driver::migration_statistics(vm_id vm) {
  return ask(machine_call::migration_statistics, &hypervisor::migration_statistics, vm);
}

result<void> machine_driver::set_max_downtime(vm_id vm, std::chrono::milliseconds limit) {
  return ask(machine_call::set_max_downtime, &hypervisor::set_max_downtime, vm, limit);
}

result<std::unique_ptr<hypervisor>> make_machine_driver(const machine_config& config,
                                                        const std::filesystem::path& program) {
  auto driver = std::make_unique<machine_driver>(config, program);
  if (auto begun = driver->begin(); !begun)
    return begun.error();
  return driver;
}

} // namespace novacron
