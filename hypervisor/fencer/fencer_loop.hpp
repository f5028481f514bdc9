#pragma once

#include "hypervisor/fencer/control_server.hpp"
#include "hypervisor/fencer/deadline_file.hpp"
#include "hypervisor/fencer/guest_killer.hpp"
#include "hypervisor/fencer/held_deadline.hpp"
#include "hypervisor/fencer/libvirtd_keeper.hpp"
#include "hypervisor/fencer/watchdog_keeper.hpp"
#include "messages/descriptor.hpp"

namespace novacron {

/// The fencer at work. One thread; each turn looks at the deadline before
/// anything else, and nothing in a turn waits for a disk or for another process, but
/// for half a second at most when libvirtd is started.
class fencer_loop {
public:
  fencer_loop(const fencer_config& config, const libvirtd_process& libvirtd, deadline_file file);

  /// Kills at once what the deadline of an earlier fencer forbids.
  void enforce();
  /// Has `watchdog` petted from now on.
  void back_with(watchdog_keeper watchdog) { watchdog_.emplace(std::move(watchdog)); }
  /// Until stopped; returns the exit status.
  int run(descriptor listener);

private:
  using client = control_server::client;

  /// Who writes a deadline to the file, and who ordered it.
  struct pending_write {
    int chore = 0;
    client from = 0;
  };

  [[nodiscard]] bool fenced() const;
  /// Past the deadline: we have looked at all processes since, and what we killed is dead.
  [[nodiscard]] bool all_dead() const;
  /// Stopped; and with a watchdog, which then goes or stays, what we killed had its time to die.
  [[nodiscard]] bool over() const;
  [[nodiscard]] fencer_status status() const;
  void handle(control_server& server, client from, const control_request& request);
  void move_deadline(control_server& server, client from, std::chrono::nanoseconds deadline);
  void take_signals(control_server& server, const descriptor& signals);
  void reap(control_server& server);
  void written(control_server& server, int wait_status);
  void set_timer(const descriptor& timer) const;

  fencer_config config_;
  deadline_file file_;
  held_deadline deadline_;
  std::optional<pending_write> pending_;
  guest_killer killer_;
  libvirtd_keeper keeper_;
  std::chrono::nanoseconds next_round_{0};
  std::vector<client> waiting_for_stop_;
  bool announced_ = false; ///< that it fences, and has killed once
  std::optional<watchdog_keeper> watchdog_;
};

} // namespace novacron
