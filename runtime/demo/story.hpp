#pragma once

#include "hypervisor/console/console_watch.hpp"
#include "runtime/cli/render.hpp"
#include "runtime/demo/demo_cluster.hpp"
#include "runtime/demo/process_census.hpp"
#include "runtime/demo/stage.hpp"
#include "runtime/demo/summary.hpp"

#include <functional>
#include <memory>
#include <string>

namespace novacron {

/// What the steps of the story share.
struct story {
  const demo_options& options;
  stage& out;
  demo_cluster& cluster;
  demo_summary summary;
  guest_plan plan;
  std::string vm; ///< the guest's id
  std::unique_ptr<process_census> census;
  std::unique_ptr<console_watch> ticks;
};

/// Steps 3 to 6 in order. Returns at the first that can't be done; what was found
/// out until then is in `x.summary`.
result<void> tell(story& x);

// -- the guest -------------------------------------------------------------------

/// Creates and starts the guest, and waits for its ticks.
result<void> start_guest(story& x);
/// Holds the guest still for `options.pause_guest`, from outside.
result<void> pause_guest(story& x);
/// Notes what the ticks say so far; `whole_pass`: all memory was verified after
/// everything else.
void note_ticks(story& x, bool whole_pass);
/// Waits until the guest has verified all of its memory once more, and notes the verdict.
result<void> judge_guest(story& x);
/// Stops and deletes the guest.
result<void> end_guest(story& x);
/// The name of the host that the guest is placed on.
result<std::string> host_of_guest(story& x);

/// One request; fails unless it is answered with `status`.
result<client_reply> demand(story& x, const std::string& method, const std::string& path,
                            const std::string& body, unsigned status);
/// A verb on the guest: sends it and waits until its operation has succeeded.
result<void> carry_out(story& x, const std::string& method, const std::string& path);

// -- migrations ------------------------------------------------------------------

/// Something to do in the middle of a migration, once its pages travel.
struct disturbance {
  std::string what; ///< what is killed; empty: nothing
  std::function<result<void>(const std::string& migration)> act;
};

/// Migrates the guest to `to`, shows the progress, waits until the log says that
/// it is over and the guest runs, and notes what it cost. Succeeds for one that
/// was rolled back, too: the outcome tells.
result<migration_summary> migrate(story& x, const std::string& to, const disturbance& middle = {});

// -- kills -----------------------------------------------------------------------

/// Kills the VM's actor, and waits until there is a new one.
result<void> kill_vm_actor(story& x);
/// Kills the migration's actor at its source, in its middle.
result<void> kill_migration_actor(story& x);
/// Kills node-2's process in the middle of a migration from or to it.
result<void> kill_agent(story& x);
/// Kills node-1 while a client creates VMs; counts what was acknowledged and is lost.
result<void> kill_controller(story& x);

} // namespace novacron
