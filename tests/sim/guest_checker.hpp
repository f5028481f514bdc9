#pragma once

#include "checker.hpp"
#include "messages/ids.hpp"
#include "scheduler.hpp"

#include <map>
#include <set>
#include <string>

namespace novacron::sim {

/// One body of a guest: a process on a machine, or what a migration made of it.
/// A migration gives the copy the memory's version that it had.
struct guest_body {
  uint64_t life = 0;    ///< the boot that this memory comes from
  uint64_t version = 0; ///< of that life's memory: rises whenever a body begins to run
};

/// Watches every guest on every machine at each instant, and what the log says
/// about their hosts' leases.
class guest_checker {
public:
  guest_checker(const scheduler& time, checker& check) : time_{time}, check_{check} {
    // nop
  }

  /// A guest was created: a memory that never ran.
  guest_body created() { return {++lives_, 0}; }
  /// A body begins to run, for the first time or again. Throws a `violation`
  /// when another one runs, when its memory is not the guest's latest, when an
  /// older permission comes after a newer one, or when its host's lease is over.
  void runs(node_id host, vm_id vm, epoch under, bool ha, guest_body& body);
  void stops(node_id host, vm_id vm);
  [[nodiscard]] bool running(node_id host, vm_id vm) const;

  template <class Text>
  void say(Text text) const {
    check_.tell(time_.now(), text);
  }

  /// The log says that the host's lease has ended: from now on its `ha` guests may
  /// run elsewhere. Throws a `violation` when one runs there.
  void lease_ended(node_id host);
  /// True: it was over.
  bool lease_renewed(node_id host) { return ended_leases_.erase(host) > 0; }

  /// The log was recovered without its end, and with it went moves of these VMs: the guest
  /// goes on where the log has it, with an earlier memory, once. No lease is known to be over.
  void log_lost(const std::set<vm_id>& moved);

private:
  struct history {
    std::set<node_id> running;
    uint64_t life = 0;
    uint64_t version = 0;
    epoch newest;
    node_id newest_host;
    bool ha = false;
    bool move_lost = false;
  };

  const scheduler& time_;
  checker& check_;
  std::map<vm_id, history> guests_;
  std::set<node_id> ended_leases_; ///< of these hosts
  uint64_t lives_ = 0;
};

} // namespace novacron::sim
