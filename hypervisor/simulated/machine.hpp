#pragma once

#include "hypervisor/hypervisor.hpp"

namespace novacron {

/// The simulated machine: a process that a `simulated_host` lives in, so that its
/// guests outlive the agent as QEMU processes do.
///
/// Like the fencer's, it is started by the agent that first needs it, in a session
/// of its own, and found by later agents through its socket. Killing it is
/// pulling the machine's plug: its guests are gone, and what an incoming guest's
/// agent holds is broken.

/// Where it lives: one folder per host, closed to others.
struct machine_config {
  std::filesystem::path state; ///< its socket, lock and log; at most some 90 bytes long
};

/// The machine of the node with this state folder.
inline machine_config machine_of_node(const std::filesystem::path& node_state) {
  return {node_state / "simulated"};
}

/// Runs it until a signal ends it, with guests that have all the memory that they
/// ask for. Returns only when it can't begin: 2, after saying why on standard error.
int run_machine(const machine_config& config);

/// Its command line without the program's name, and back.
std::vector<std::string> machine_arguments(const machine_config& config);
result<machine_config> parse_machine_arguments(const std::vector<std::string>& arguments);

/// A driver for the machine of this folder, which is started when there is none:
/// `program` runs `run_machine` when called as `program simulated-machine …`.
/// The machine is started again when it dies; that counts as an event for all.
/// Incoming guests die with the driver that prepared them. Fails with
/// `unreachable` when none answers within ten seconds.
result<std::unique_ptr<hypervisor>> make_machine_driver(const machine_config& config,
                                                        const std::filesystem::path& program);

/// Moves the deadline of the machine's own fencer, on CLOCK_BOOTTIME: `ha` guests
/// end when it has passed, whatever the agent does. It outlives the machine, too,
/// in a file of its folder. Fails with `unreachable` when no machine answers.
result<void> set_machine_deadline(const machine_config& config, std::chrono::nanoseconds deadline);

/// A machine as seen from outside: for counting.
struct machine_sight {
  int pid = 0;
  std::vector<guest_status> guests;
};
/// Fails with `unreachable` when there is none; starts none.
result<machine_sight> look_at_machine(const machine_config& config);

} // namespace novacron
