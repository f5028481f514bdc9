#pragma once

#include "hypervisor/libvirt/complaint.hpp"
#include "hypervisor/libvirt/domain_metadata.hpp"
#include "hypervisor/libvirt/domain_xml.hpp"
#include "hypervisor/libvirt/guest_watch.hpp"
#include "hypervisor/libvirt/libvirt_hypervisor.hpp"

#include <map>
#include <mutex>
#include <set>

namespace novacron {

/// A domain of ours, and the connection that it is seen through.
struct our_domain {
  connect_pointer connection; // outlives the domain
  domain_pointer domain;
  domain_metadata metadata;
};

/// Drives one libvirtd.
///
/// Three kinds of connection, for libvirt handles a connection's calls in turn
/// when they block: the *general* one, which also owns the incoming guests
/// (they are destroyed when it closes) and carries the events; the *control*
/// one for abort and statistics, which must not wait behind a migration; and
/// one for each outgoing migration, kept from Perform to the end.
///
/// What libvirtd keeps is the truth. The driver itself remembers only what
/// makes no sense without it: which migrations are under way here, and who was
/// asked to shut down.
class libvirt_driver final : public hypervisor {
public:
  libvirt_driver(const libvirt_config& config, std::string uri);
  ~libvirt_driver() override;

  /// Finds out what QEMU can be; the driver is good for nothing before it succeeded.
  result<void> start();

  std::string description() override;
  std::string accelerator() override;
  result<host_capacity> capacity() override;
  std::string live_migration_problem() override;
  result<std::vector<guest_status>> list() override;
  void subscribe(std::function<void(const guest_event&)> listener) override;
  result<void> create(const guest_spec& spec) override;
  result<void> resume(vm_id vm) override;
  result<void> pause(vm_id vm) override;
  result<void> shutdown(vm_id vm) override;
  result<void> destroy(vm_id vm) override;
  result<guest_statistics> statistics(vm_id vm) override;
  result<void> adopt(vm_id vm, novacron::epoch epoch) override;

  result<migration_offer> migration_begin(vm_id vm) override;
  result<std::string> migration_prepare(const prepare_request& request) override;
  result<std::string> migration_perform(vm_id vm, const perform_request& request) override;
  result<std::string> migration_finish(vm_id vm, const std::string& cookie,
                                       bool cancelled) override;
  result<void> migration_confirm(vm_id vm, const std::string& cookie) override;
  result<void> migration_abort(vm_id vm) override;
  result<migration_job> migration_statistics(vm_id vm) override;
  result<void> set_max_downtime(vm_id vm, std::chrono::milliseconds limit) override;

private:
  /// A migration that this process performs, or has performed and not ended.
  struct outgoing_migration {
    connect_pointer connection; ///< closing it ends libvirt's migration job
    bool performing = false;
    bool abort_requested = false;
  };

  // -- looking up (libvirt_lookup.cpp) --
  std::string failed_to(const char* what, vm_id vm) const;
  result<our_domain> find(libvirt_link& link, vm_id vm, const char* what);
  result<our_domain> find_on(const connect_pointer& connection, vm_id vm, const char* what);
  /// What a domain of ours does now. `no_such_guest` when it has just ended; other
  /// failures when libvirt couldn't say: then nothing may be done to it.
  result<guest_status> status_of(virDomain* domain, const domain_metadata& metadata,
                                 const char* what);
  domain_metadata metadata_for(const guest_spec& spec) const;
  result<void> refuse_second_guest(const connect_pointer& connection, vm_id vm, const char* what);
  result<void> wait_until_gone(const our_domain& guest);

  // -- migration (libvirt_migration.cpp) --
  result<connect_pointer> begin_performing(vm_id vm);
  void end_performing(vm_id vm, bool succeeded);
  /// The connection of a migration that was performed from here; forgets it.
  connect_pointer take_performed(vm_id vm);
  bool is_performing(vm_id vm);
  result<std::string> let_incoming_run(vm_id vm, const std::string& cookie);
  result<std::string> remove_incoming(vm_id vm, const std::string& cookie);
  void forget_stream_socket(vm_id vm);

  libvirt_config config_;
  machine_type machine_;
  std::string description_;
  std::string migration_problem_;
  guest_watch watch_;
  libvirt_link control_;

  std::mutex mutex_;
  std::map<vm_id, outgoing_migration> outgoing_;
  std::map<vm_id, std::filesystem::path> stream_sockets_; ///< of incoming guests
  std::set<vm_id> asked_to_stop_;
};

/// Whether the domain waits for its memory. It looks like the paused source of a
/// migration, but libvirt has no statistics for this side.
bool is_incoming(virDomain* domain);

} // namespace novacron
