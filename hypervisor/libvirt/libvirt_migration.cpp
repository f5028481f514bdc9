#include "hypervisor/libvirt/guest_files.hpp"
#include "hypervisor/libvirt/libvirt_driver.hpp"
#include "hypervisor/libvirt/migration_steps.hpp"

#include <libvirt/virterror.h>
#include <thread>

// The driver's half of a live migration. The steps themselves are in migration_steps.cpp; here is
// which connection carries them, and what must be true before and after each.

namespace novacron {

namespace {

constexpr auto abort_limit = std::chrono::seconds{2};
constexpr auto abort_interval = std::chrono::milliseconds{20};

bool is_gone(const failure& why) {
  return why.code == hypervisor_errc::no_such_guest;
}

} // namespace

// -- source ------------------------------------------------------------------------

result<migration_offer> libvirt_driver::migration_begin(vm_id vm) {
  if (auto problem = migration_steps::problem(); !problem.empty())
    return make_failure(hypervisor_errc::not_supported, failed_to("migrate", vm) + ": " + problem);
  auto guest = find(watch_.link(), vm, "migrate");
  if (!guest)
    return guest.error();
  auto offer = migration_steps::begin(guest->domain.get());
  if (!offer)
    return explain(guest->connection.get(), call_kind::reads, failed_to("migrate", vm));
  return *offer;
}

result<connect_pointer> libvirt_driver::begin_performing(vm_id vm) {
  libvirt_link link{watch_.link().uri()};
  auto connection = link.get();
  if (!connection)
    return connection.error();
  std::lock_guard guard{mutex_};
  auto& migration = outgoing_[vm];
  if (migration.performing)
    return make_failure(hypervisor_errc::refused,
                        failed_to("migrate", vm)
                            + ": its memory is being sent already; abort that first");
  migration = {*connection, true, false};
  return *connection;
}

void libvirt_driver::end_performing(vm_id vm, bool succeeded) {
  connect_pointer closing;
  std::lock_guard guard{mutex_};
  auto found = outgoing_.find(vm);
  if (found == outgoing_.end())
    return;
  found->second.performing = false;
  if (!succeeded) {
    closing.swap(found->second.connection);
    outgoing_.erase(found);
  }
}

connect_pointer libvirt_driver::take_performed(vm_id vm) {
  std::lock_guard guard{mutex_};
  auto found = outgoing_.find(vm);
  if (found == outgoing_.end() || found->second.performing)
    return {};
  auto connection = std::move(found->second.connection);
  outgoing_.erase(found);
  return connection;
}

bool libvirt_driver::is_performing(vm_id vm) {
  std::lock_guard guard{mutex_};
  auto found = outgoing_.find(vm);
  return found != outgoing_.end() && found->second.performing;
}

result<std::string> libvirt_driver::migration_perform(vm_id vm, const perform_request& request) {
  auto owner = owner_of_socket(config_.socket);
  if (!owner)
    return owner.error();
  if (auto shared = share_stream_socket(request.stream_socket, *owner); !shared)
    return make_failure(hypervisor_errc::aborted, shared.error().message);
  auto connection = begin_performing(vm);
  if (!connection)
    return connection.error();
  auto guest = find_on(*connection, vm, "migrate");
  if (!guest) {
    end_performing(vm, false);
    return guest.error();
  }
  auto done = migration_steps::perform(guest->domain.get(), request);
  if (!done) {
    auto why = explain(connection->get(), call_kind::changes, failed_to("migrate", vm));
    end_performing(vm, false);
    if (why.code == hypervisor_errc::refused)
      why.code = make_error_code(hypervisor_errc::aborted);
    return why;
  }
  end_performing(vm, true);
  return *done;
}

result<void> libvirt_driver::migration_abort(vm_id vm) {
  auto deadline = std::chrono::steady_clock::now() + abort_limit;
  while (is_performing(vm)) {
    auto guest = find(control_, vm, "abort the migration of");
    if (!guest)
      return guest.error();
    if (virDomainAbortJob(guest->domain.get()) == 0)
      return {};
    auto complaint = last_complaint();
    auto why = explain(guest->connection.get(), call_kind::changes,
                       failed_to("abort the migration of", vm), complaint);
    // Perform was called, but libvirt has no job yet, or not any more.
    if (complaint.code != VIR_ERR_OPERATION_INVALID || std::chrono::steady_clock::now() > deadline)
      return why;
    std::this_thread::sleep_for(abort_interval);
  }
  return {};
}

result<migration_job> libvirt_driver::migration_statistics(vm_id vm) {
  auto guest = find(control_, vm, "read the migration of");
  if (!guest)
    return guest.error();
  typed_params params;
  int type = VIR_DOMAIN_JOB_NONE;
  if (virDomainGetJobStats(guest->domain.get(), &type, params.values_out(), params.count_out(), 0)
      != 0) {
    auto complaint = last_complaint();
    if (complaint.code == VIR_ERR_OPERATION_UNSUPPORTED) // an incoming one has no figures
      return migration_job{};
    return explain(guest->connection.get(), call_kind::reads,
                   failed_to("read the migration of", vm), complaint);
  }
  migration_job x;
  if (type == VIR_DOMAIN_JOB_NONE)
    return x;
  x.memory_total_bytes = params.number(VIR_DOMAIN_JOB_MEMORY_TOTAL);
  x.memory_processed_bytes = params.number(VIR_DOMAIN_JOB_MEMORY_PROCESSED);
  x.memory_remaining_bytes = params.number(VIR_DOMAIN_JOB_MEMORY_REMAINING);
  x.dirty_pages_per_second = params.number(VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE);
  x.iteration = static_cast<uint32_t>(params.number(VIR_DOMAIN_JOB_MEMORY_ITERATION));
  x.downtime = std::chrono::milliseconds{params.number(VIR_DOMAIN_JOB_DOWNTIME)};
  return x;
}

result<void> libvirt_driver::set_max_downtime(vm_id vm, std::chrono::milliseconds limit) {
  auto guest = find(control_, vm, "limit the downtime of");
  if (!guest)
    return guest.error();
  if (virDomainMigrateSetMaxDowntime(guest->domain.get(),
                                     static_cast<unsigned long long>(limit.count()), 0)
      != 0)
    return explain(guest->connection.get(), call_kind::changes,
                   failed_to("limit the downtime of", vm));
  return {};
}

result<void> libvirt_driver::migration_confirm(vm_id vm, const std::string& cookie) {
  auto performed = take_performed(vm);
  if (performed)
    if (auto source = find_on(performed, vm, "confirm the migration of"); source)
      migration_steps::confirm(source->domain.get(), cookie, false);
  // Whatever that said: what counts is that nothing is left. Without the connection of Perform
  // (we are a restarted agent) libvirt knows no migration, only a paused guest.
  auto guest = find(watch_.link(), vm, "confirm the migration of");
  if (!guest)
    return is_gone(guest.error()) ? result<void>{} : guest.error();
  auto status = status_of(guest->domain.get(), guest->metadata, "confirm the migration of");
  if (!status && !is_gone(status.error()))
    return status.error();
  if (status && !status->migration_source)
    return make_failure(hypervisor_errc::refused,
                        failed_to("confirm the migration of", vm) + ": the guest here is "
                            + to_string(status->phase)
                            + ", not a source that has sent its memory; it is left alone");
  auto destroyed = destroy(vm);
  if (!destroyed && is_gone(destroyed.error()))
    return {};
  return destroyed;
}

// -- destination -------------------------------------------------------------------

result<std::string> libvirt_driver::migration_prepare(const prepare_request& request) {
  auto vm = request.spec.vm;
  if (auto problem = migration_steps::problem(); !problem.empty())
    return make_failure(hypervisor_errc::not_supported, failed_to("prepare", vm) + ": " + problem);
  auto connection = watch_.link().get();
  if (!connection)
    return connection.error();
  if (auto single = refuse_second_guest(*connection, vm, "prepare"); !single)
    return single.error();
  auto xml = destination_xml(request.offer.domain_xml, request.spec, metadata_for(request.spec));
  if (!xml)
    return xml.error();
  auto owner = owner_of_socket(config_.socket);
  if (!owner)
    return owner.error();
  if (auto log = make_console_log(request.spec.console_log, *owner); !log)
    return log.error();
  if (auto clear = clear_stream_socket(request.stream_socket, *owner); !clear)
    return clear.error();
  auto cookie = migration_steps::prepare(connection->get(), *xml, request.stream_socket.native(),
                                         request.offer.cookie);
  if (!cookie) {
    auto why = explain(connection->get(), call_kind::changes, failed_to("prepare", vm));
    clear_stream_socket(request.stream_socket, *owner);
    return why;
  }
  std::lock_guard guard{mutex_};
  stream_sockets_[vm] = request.stream_socket;
  return *cookie;
}

result<std::string> libvirt_driver::migration_finish(vm_id vm, const std::string& cookie,
                                                     bool cancelled) {
  auto finished = cancelled ? remove_incoming(vm, cookie) : let_incoming_run(vm, cookie);
  if (finished)
    forget_stream_socket(vm);
  return finished;
}

result<std::string> libvirt_driver::let_incoming_run(vm_id vm, const std::string& cookie) {
  auto guest = find(watch_.link(), vm, "finish the migration of");
  if (!guest)
    return guest.error();
  auto status = status_of(guest->domain.get(), guest->metadata, "finish the migration of");
  // A libvirtd that came back shows an incoming guest as paused until it has ended it.
  if (!status || status->phase == guest_phase::paused)
    return make_failure(hypervisor_errc::outcome_unknown,
                        failed_to("finish the migration of", vm)
                            + ": it is neither incoming nor running; look at it again");
  if (status->phase != guest_phase::incoming)
    return std::string{}; // finished before
  auto done = migration_steps::finish(guest->connection.get(), domain_name(vm), cookie, false);
  if (!done.domain)
    return explain(guest->connection.get(), call_kind::changes,
                   failed_to("finish the migration of", vm));
  return done.cookie;
}

result<std::string> libvirt_driver::remove_incoming(vm_id vm, const std::string& cookie) {
  auto guest = find(watch_.link(), vm, "cancel the incoming");
  if (!guest) {
    if (is_gone(guest.error()))
      return std::string{};
    return guest.error();
  }
  auto status = status_of(guest->domain.get(), guest->metadata, "cancel the incoming");
  if (!status && !is_gone(status.error()))
    return status.error();
  if (status && status->phase != guest_phase::incoming)
    return make_failure(hypervisor_errc::refused,
                        failed_to("cancel the incoming", vm) + ": it is finished and "
                            + to_string(status->phase) + "; it is left alone");
  auto done = migration_steps::finish(guest->connection.get(), domain_name(vm), cookie, true);
  if (auto gone = destroy(vm); !gone && !is_gone(gone.error()))
    return gone.error();
  return done.cookie;
}

void libvirt_driver::forget_stream_socket(vm_id vm) {
  std::filesystem::path socket;
  {
    std::lock_guard guard{mutex_};
    auto found = stream_sockets_.find(vm);
    if (found == stream_sockets_.end())
      return;
    socket = std::move(found->second);
    stream_sockets_.erase(found);
  }
  std::error_code ignored; // QEMU removes it itself when all went well
  std::filesystem::remove(socket, ignored);
}

} // namespace novacron
