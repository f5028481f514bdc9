#pragma once

#include "fleet.hpp"
#include "identities.hpp"
#include "messages/address.hpp"
#include "process.hpp"
#include "wires.hpp"

#include <functional>
#include <map>
#include <vector>

namespace novacron::sim {

/// What the processes of one schedule share, and whose turn it is.
class actor_world {
public:
  actor_world(fleet& shared, network_faults faults, identities& who)
      : with{shared}, certificates{who}, over{shared.all.time,  shared.all.luck, shared.all.seen,
                                              shared.all.check, shared.all.net,  faults} {
    // nop
  }

  fleet& with;
  identities& certificates;
  wires over;
  std::vector<address> controllers;          ///< the doors of those that founded the group
  std::map<uint64_t, class any_host*> hosts; ///< by number

  /// Where the door of this node is.
  static address door_of(uint64_t node) {
    return {"10.0." + std::to_string(node / 256) + "." + std::to_string(node % 256), 7'000};
  }

  std::unique_ptr<process> begin(uint64_t node, const node_clock& clock);
  /// The process ends; its actors were killed. False: some live on, and a promise is broken.
  bool end(process& who, bool dark);
  void freeze(const process& who, bool is);

  /// After the present actor's turn.
  void soon(std::function<void()> call) { soon_.push_back(std::move(call)); }

  /// An actor handles a message, or a thing happens that is due; when there is neither,
  /// time passes. False: time is `until`.
  bool step(uint64_t until);

private:
  struct running {
    process* who = nullptr;
    bool frozen = false;
    uint64_t stalled_until = 0;
  };

  [[nodiscard]] bool may_run(const running& x) const {
    return !x.frozen && x.stalled_until <= with.all.time.now();
  }
  running* choose();
  bool let_time_pass(uint64_t until);

  std::map<uint64_t, running> processes_; ///< by life
  uint64_t lives_ = 0;
  std::vector<std::function<void()>> soon_;
};

} // namespace novacron::sim
