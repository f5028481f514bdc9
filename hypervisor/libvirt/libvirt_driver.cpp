#include "hypervisor/libvirt/libvirt_driver.hpp"

#include "hypervisor/libvirt/accelerator.hpp"
#include "hypervisor/libvirt/autostart.hpp"
#include "hypervisor/libvirt/guest_files.hpp"
#include "hypervisor/libvirt/migration_steps.hpp"

#include <fstream>
#include <libvirt/virterror.h>
#include <thread>

namespace novacron {

namespace {

constexpr auto gone_limit = std::chrono::seconds{15};
constexpr auto gone_interval = std::chrono::milliseconds{25};

boot_id boot_of_this_kernel() {
  std::ifstream in{"/proc/sys/kernel/random/boot_id"};
  std::string text;
  in >> text;
  return boot_id{parse_uuid(text).value_or(uuid{})};
}

} // namespace

libvirt_driver::libvirt_driver(const libvirt_config& config, std::string uri)
    : config_{config}, watch_{uri}, control_{uri} {
  if (config_.boot.nil())
    config_.boot = boot_of_this_kernel();
}

libvirt_driver::~libvirt_driver() = default;

result<void> libvirt_driver::start() {
  auto connection = watch_.link().get();
  if (!connection)
    return connection.error();
  if (auto refused = refuse_autostart(connection->get()); !refused)
    return refused;
  auto machine = choose_machine(connection->get(), config_.prefer_kvm);
  if (!machine)
    return machine.error();
  machine_ = *machine;
  auto owner = owner_of_socket(config_.socket);
  if (!owner)
    return owner.error();
  for (const auto& folder : config_.guest_folders)
    if (auto made = make_folder_for(folder, *owner); !made)
      return made;
  unsigned long libvirt_version = 0;
  unsigned long qemu_version = 0;
  virConnectGetLibVersion(connection->get(), &libvirt_version);
  virConnectGetVersion(connection->get(), &qemu_version);
  migration_problem_ = migration_steps::problem();
  if (migration_problem_.empty())
    migration_problem_ = problem_of_qemu(machine_, qemu_version);
  description_ = "libvirt " + version_text(libvirt_version) + ", qemu " + version_text(qemu_version)
                 + ", " + accelerator();
  return {};
}

std::string libvirt_driver::description() {
  return description_;
}

std::string libvirt_driver::accelerator() {
  return machine_.kvm ? "kvm" : "tcg";
}

std::string libvirt_driver::live_migration_problem() {
  return migration_problem_;
}

void libvirt_driver::subscribe(std::function<void(const guest_event&)> listener) {
  watch_.subscribe(std::move(listener));
}

result<host_capacity> libvirt_driver::capacity() {
  auto connection = control_.get();
  if (!connection)
    return connection.error();
  virNodeInfo info{};
  if (virNodeGetInfo(connection->get(), &info) != 0)
    return explain(connection->get(), call_kind::reads, "cannot read what this host has");
  return host_capacity{info.cpus, info.memory / 1024};
}

domain_metadata libvirt_driver::metadata_for(const guest_spec& spec) const {
  return {config_.host, spec.vm, spec.epoch, spec.ha, config_.boot};
}

result<void> libvirt_driver::refuse_second_guest(const connect_pointer& connection, vm_id vm,
                                                 const char* what) {
  auto bytes = to_bytes(vm.value);
  domain_pointer other{virDomainLookupByUUID(connection.get(),
                                             reinterpret_cast<const unsigned char*>(bytes.data()))};
  if (other)
    return make_failure(
        hypervisor_errc::already_there,
        failed_to(what, vm)
            + ": a guest of that VM is here already; destroy it or wait for its end");
  if (last_complaint().code == VIR_ERR_NO_DOMAIN)
    return {};
  return explain(connection.get(), call_kind::reads, failed_to(what, vm));
}

// -- lifecycle ---------------------------------------------------------------------

result<void> libvirt_driver::create(const guest_spec& spec) {
  auto connection = watch_.link().get();
  if (!connection)
    return connection.error();
  if (auto single = refuse_second_guest(*connection, spec.vm, "create"); !single)
    return single;
  auto owner = owner_of_socket(config_.socket);
  if (!owner)
    return owner.error();
  if (auto log = make_console_log(spec.console_log, *owner); !log)
    return log;
  auto xml = domain_xml(spec, metadata_for(spec), machine_);
  domain_pointer domain{
      virDomainCreateXML(connection->get(), xml.c_str(), VIR_DOMAIN_START_PAUSED)};
  if (!domain) {
    auto why = explain(connection->get(), call_kind::changes, failed_to("create", spec.vm));
    if (why.code == hypervisor_errc::outcome_unknown)
      return why;
    if (auto single = refuse_second_guest(*connection, spec.vm, "create"); !single)
      return single; // somebody else was faster
    return why;
  }
  std::lock_guard guard{mutex_};
  asked_to_stop_.erase(spec.vm);
  return {};
}

result<void> libvirt_driver::resume(vm_id vm) {
  auto guest = find(watch_.link(), vm, "resume");
  if (!guest)
    return guest.error();
  auto status = status_of(guest->domain.get(), guest->metadata, "resume");
  if (!status)
    return status.error();
  if (status->phase == guest_phase::incoming)
    return make_failure(hypervisor_errc::refused,
                        failed_to("resume", vm)
                            + ": its memory may not be complete; finish its migration instead");
  if (status->phase == guest_phase::running || status->phase == guest_phase::stopping)
    return {};
  // A migration that was performed from here holds the domain until it is called off.
  if (auto migration = take_performed(vm)) {
    auto source = find_on(migration, vm, "resume");
    if (source && migration_steps::confirm(source->domain.get(), {}, true)) {
      const auto called_off = status_of(source->domain.get(), source->metadata, "resume");
      if (called_off && called_off->phase == guest_phase::running)
        return {};
    }
  }
  if (virDomainResume(guest->domain.get()) != 0)
    return explain(guest->connection.get(), call_kind::changes, failed_to("resume", vm));
  return {};
}

result<void> libvirt_driver::pause(vm_id vm) {
  auto guest = find(watch_.link(), vm, "pause");
  if (!guest)
    return guest.error();
  auto status = status_of(guest->domain.get(), guest->metadata, "pause");
  if (!status)
    return status.error();
  if (status->phase == guest_phase::paused)
    return {};
  if (virDomainSuspend(guest->domain.get()) != 0)
    return explain(guest->connection.get(), call_kind::changes, failed_to("pause", vm));
  return {};
}

result<void> libvirt_driver::shutdown(vm_id vm) {
  auto guest = find(watch_.link(), vm, "shut down");
  if (!guest)
    return guest.error();
  if (virDomainShutdownFlags(guest->domain.get(), VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN) != 0)
    return explain(guest->connection.get(), call_kind::changes, failed_to("shut down", vm));
  std::lock_guard guard{mutex_};
  asked_to_stop_.insert(vm);
  return {};
}

result<void> libvirt_driver::destroy(vm_id vm) {
  auto guest = find(watch_.link(), vm, "destroy");
  if (!guest)
    return guest.error();
  if (virDomainDestroy(guest->domain.get()) != 0) {
    auto complaint = last_complaint();
    auto why
        = explain(guest->connection.get(), call_kind::changes, failed_to("destroy", vm), complaint);
    if (why.code == hypervisor_errc::outcome_unknown)
      return why;
    // libvirt gives up waiting for a QEMU that takes its time to die; we wait longer.
    if (complaint.code != VIR_ERR_SYSTEM_ERROR && why.code != hypervisor_errc::no_such_guest)
      return why;
  }
  if (auto gone = wait_until_gone(*guest); !gone)
    return gone;
  take_performed(vm);
  forget_stream_socket(vm);
  std::lock_guard guard{mutex_};
  asked_to_stop_.erase(vm);
  return {};
}

result<void> libvirt_driver::wait_until_gone(const our_domain& guest) {
  auto bytes = to_bytes(guest.metadata.vm.value);
  auto deadline = std::chrono::steady_clock::now() + gone_limit;
  while (std::chrono::steady_clock::now() < deadline) {
    domain_pointer still{virDomainLookupByUUID(
        guest.connection.get(), reinterpret_cast<const unsigned char*>(bytes.data()))};
    if (!still) {
      if (last_complaint().code == VIR_ERR_NO_DOMAIN)
        return {};
      return explain(guest.connection.get(), call_kind::changes,
                     failed_to("destroy", guest.metadata.vm));
    }
    std::this_thread::sleep_for(gone_interval);
  }
  return make_failure(hypervisor_errc::refused,
                      failed_to("destroy", guest.metadata.vm)
                          + ": its QEMU process doesn't end; look for what holds it");
}

result<guest_statistics> libvirt_driver::statistics(vm_id vm) {
  auto guest = find(control_, vm, "read statistics of");
  if (!guest)
    return guest.error();
  virDomainInfo info{};
  if (virDomainGetInfo(guest->domain.get(), &info) != 0)
    return explain(guest->connection.get(), call_kind::reads, failed_to("read statistics of", vm));
  return guest_statistics{info.memory / 1024, std::chrono::nanoseconds{info.cpuTime}};
}

result<void> libvirt_driver::adopt(vm_id vm, novacron::epoch epoch) {
  auto guest = find(watch_.link(), vm, "adopt");
  if (!guest)
    return guest.error();
  if (guest->metadata.epoch == epoch)
    return {};
  // A migration that was performed from here holds the domain for as long as its connection lives,
  // and leaves it paused when that closes.
  take_performed(vm);
  auto stamped = guest->metadata;
  stamped.epoch = epoch;
  if (virDomainSetMetadata(guest->domain.get(), VIR_DOMAIN_METADATA_ELEMENT,
                           to_bare_xml(stamped).c_str(), metadata_prefix, metadata_namespace,
                           VIR_DOMAIN_AFFECT_LIVE)
      != 0)
    return explain(guest->connection.get(), call_kind::changes, failed_to("adopt", vm));
  return {};
}

result<std::unique_ptr<hypervisor>> make_libvirt_hypervisor(const libvirt_config& config) {
  auto uri = std::string{"qemu+unix:///"}
             + (config.mode == libvirt_mode::session ? "session" : "system")
             + "?socket=" + config.socket.native();
  auto driver = std::make_unique<libvirt_driver>(config, std::move(uri));
  if (auto started = driver->start(); !started)
    return started.error();
  return std::unique_ptr<hypervisor>{std::move(driver)};
}

} // namespace novacron
