#pragma once

#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace novacron {

/// A guest's card in a network of this host.
struct network_card {
  std::string mac;    ///< the same wherever the guest runs
  std::string bridge; ///< of this host, that the network is
};

/// What the hypervisor needs to know in order to run a guest. Paths are this
/// host's; clients never see them.
struct guest_spec {
  vm_id vm;
  std::string name;      ///< the VM's name, for people
  novacron::epoch epoch; ///< the permission under which this guest is created
  bool ha = false;       ///< bound to the host's lease: the fencer may kill it
  uint32_t vcpus = 1;
  uint64_t memory_mib = 256;
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::string kernel_arguments;
  std::filesystem::path console_log; ///< serial console, appended to
  std::vector<network_card> cards{}; ///< simulated guests don't have them
};

/// What a guest does now, as the hypervisor says it.
enum class guest_phase : uint8_t {
  paused, ///< created or suspended; its memory is there, it doesn't run
  running,
  stopping, ///< asked to shut down
  incoming, ///< destination of a migration that is not finished
  crashed,
};
std::string to_string(guest_phase phase);

/// One of our guests. Domains without our metadata are never listed or touched.
struct guest_status {
  vm_id vm;
  novacron::epoch epoch; ///< from the metadata that the guest was created with
  guest_phase phase = guest_phase::paused;
  bool migration_source = false; ///< paused because its migration's Perform has ended
};

/// A guest came, went, or changed its phase: look at it again. Events may be
/// lost when a connection breaks; a reconnection counts as an event for all.
struct guest_event {
  vm_id vm; ///< nil: look at all
  /// The guest switches itself off, in order, or has done so: by itself, or
  /// because it was asked to. Lost with its event; then nobody can tell.
  bool powered_off = false;
};

/// What a host can give.
struct host_capacity {
  uint32_t vcpus = 0;
  uint64_t memory_mib = 0;
};

struct guest_statistics {
  uint64_t memory_mib = 0;
  std::chrono::nanoseconds cpu_time{0};
};

/// Step 1's result: everything the destination needs to know about the guest.
struct migration_offer {
  std::string domain_xml;
  std::string cookie;
};

struct prepare_request {
  guest_spec spec; ///< as the destination wants it: its own paths, the next epoch
  migration_offer offer;
  std::filesystem::path stream_socket; ///< QEMU will listen here for its memory
};

struct perform_request {
  std::string cookie;                  ///< of `prepare`
  std::filesystem::path stream_socket; ///< the caller listens here for the memory
  /// A guest that writes faster than its memory is sent may be given less of the processor
  /// (QEMU's auto-converge). Simulated guests never are.
  bool may_slow = false;
};

/// What QEMU says of a running migration; all zero before it started.
struct migration_job {
  uint64_t memory_total_bytes = 0;
  uint64_t memory_processed_bytes = 0;
  uint64_t memory_remaining_bytes = 0;
  uint64_t dirty_pages_per_second = 0;
  uint32_t iteration = 0; ///< 1 is the first pass over the memory
  std::chrono::milliseconds downtime{0};
};

/// Runs guests on one host.
///
/// Every call may block for seconds, `migration_perform` for as long as the
/// memory travels: call from worker threads, never from an actor of the shared
/// scheduler. All functions are safe from several threads at once; calls on the
/// same VM must be ordered by the caller, but for `migration_abort`,
/// `migration_statistics` and `set_max_downtime`, which are made for being
/// called while `migration_perform` runs.
///
/// Errors are `hypervisor_errc`. `no_such_guest` is the answer for a VM that
/// isn't here. When a call fails with `outcome_unknown` (the daemon went away in
/// the middle) it may or may not have had its effect: list, then decide.
class hypervisor {
public:
  virtual ~hypervisor() = default;

  /// Driver and accelerator, as in "libvirt 9.0.0, qemu 7.2.22, tcg".
  virtual std::string description() = 0;
  virtual std::string accelerator() = 0; ///< "kvm", "tcg" or "simulated"
  virtual result<host_capacity> capacity() = 0;

  /// Why live migration can't be done on this host; empty when it can.
  virtual std::string live_migration_problem() = 0;

  /// All of our guests on this host, running or not.
  virtual result<std::vector<guest_status>> list() = 0;

  /// Calls `listener` from a thread of the driver's own until the driver is
  /// destroyed. At most one listener.
  virtual void subscribe(std::function<void(const guest_event&)> listener) = 0;

  /// Creates the guest, paused. Fails with `already_there` when any guest of
  /// that VM is on this host, whatever its epoch.
  virtual result<void> create(const guest_spec& spec) = 0;
  /// Lets a paused guest run. Succeeds when it runs already.
  virtual result<void> resume(vm_id vm) = 0;
  virtual result<void> pause(vm_id vm) = 0;
  /// Asks the guest to shut down by itself (ACPI). Returns at once.
  virtual result<void> shutdown(vm_id vm) = 0;
  /// Ends the guest now. On success it is gone.
  virtual result<void> destroy(vm_id vm) = 0;
  virtual result<guest_statistics> statistics(vm_id vm) = 0;
  /// Stamps a guest that is here with the epoch under which it goes on: a
  /// source that got its guest back after the commit. Changes the metadata only.
  virtual result<void> adopt(vm_id vm, novacron::epoch epoch) = 0;

  // -- live migration, step by step ------------------------------------------
  // Begin(source) → Prepare(destination) → Perform(source) → Finish(destination) → Confirm(source).
  // After a Perform that succeeded the source stays paused and the destination
  // loaded, whatever dies, until Finish, Confirm, resume or destroy is called.

  /// Source, step 1: describes the guest.
  virtual result<migration_offer> migration_begin(vm_id vm) = 0;
  /// Destination, step 2: makes an incoming guest that listens on `stream_socket`.
  /// It dies with this driver's connection until it is finished. Returns a cookie.
  virtual result<std::string> migration_prepare(const prepare_request& request) = 0;
  /// Source, step 3: sends the memory. On success the guest is paused here and complete there.
  /// On failure the guest runs on here. Returns a cookie for `finish`.
  virtual result<std::string> migration_perform(vm_id vm, const perform_request& request) = 0;
  /// Destination, step 4: lets the guest run; with `cancelled`, removes it.
  /// Cancelling what isn't there succeeds. Returns a cookie for `confirm`.
  virtual result<std::string> migration_finish(vm_id vm, const std::string& cookie, bool cancelled)
      = 0;
  /// Source, step 5: removes the paused source. Succeeds when it is gone.
  virtual result<void> migration_confirm(vm_id vm, const std::string& cookie) = 0;

  /// Source: makes a running `migration_perform` fail soon. The guest runs on here.
  virtual result<void> migration_abort(vm_id vm) = 0;
  virtual result<migration_job> migration_statistics(vm_id vm) = 0;
  virtual result<void> set_max_downtime(vm_id vm, std::chrono::milliseconds limit) = 0;
};

} // namespace novacron
