#pragma once

#include "messages/local.hpp"

#include <chrono>
#include <string>
#include <variant>
#include <vector>

namespace novacron {

// What a host's actor must do; the state itself does nothing. Each effect that
// has an answer is brought back to the function that it names.

/// Propose it: → `registered`.
struct propose_registration {
  register_host command;
};
/// Propose it: → `renewed`, with the attempt.
struct propose_renewal {
  uint64_t attempt = 0;
  renew_lease command;
};
/// Give the fencer this deadline, on CLOCK_BOOTTIME: → `guarded`.
struct move_deadline {
  std::chrono::nanoseconds deadline{0};
};
/// See to it that a fencer runs, which finds the last one's deadline by itself:
/// → `fencer_kept`.
struct keep_fencer {};
/// Propose it: → `inventory_confirmed`.
struct propose_inventory {
  confirm_inventory command;
};
/// Propose it: → `reported`.
struct propose_report {
  host_report report;
};
/// List the hypervisor's guests: → `looked`.
struct look_at_guests {};
/// Read what the log has of this VM, linearizably: → `told_about`.
struct ask_about_vm {
  vm_id vm;
};

/// Find or start the VM's actor: → `present`, or `not_started`.
struct need_vm_actor {
  vm_id vm;
};
/// The VM's actor has nothing to do here any more.
struct end_vm_actor {
  vm_id vm;
};
struct tell_vm {
  vm_changed word;
};
struct show_guest {
  vm_id vm;
  guest_seen seen;
};

/// Find or start the migration's actor: → `present`, or `not_started`.
struct need_migration_actor {
  migration_id migration;
  bool source = false; ///< else this host is the destination
};
struct tell_migration {
  migration_changed word;
};

/// Pass the request with this ticket on to its migration's actor, which answers
/// whoever asked.
struct pass_on_request {
  uint64_t ticket = 0;
  prepare_migration request;
};
struct refuse_request {
  uint64_t ticket = 0;
  std::string why;
};

/// A line for the log.
struct note_host {
  std::string text;
  bool warning = false;
  vm_id vm; ///< nil: about none
};

using host_effect
    = std::variant<propose_registration, propose_renewal, propose_inventory, move_deadline,
                   keep_fencer, propose_report, look_at_guests, ask_about_vm, need_vm_actor,
                   end_vm_actor, tell_vm, show_guest, need_migration_actor, tell_migration,
                   pass_on_request, refuse_request, note_host>;
using host_effects = std::vector<host_effect>;

} // namespace novacron
