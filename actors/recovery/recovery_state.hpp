#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace novacron {

struct recovery_config {
  size_t most_orders = 16; ///< on their way at once
  /// After an order that came to nothing: doubled each time, up to the longest.
  std::chrono::milliseconds pause{1'000};
  std::chrono::milliseconds longest_pause{16'000};
};

/// Which lost VMs are to be placed elsewhere, and when each is tried.
///
/// The problem: a host's end loses many VMs at once, and there may be no room for
/// all of them. Asking again and again until there is would fill the log; not
/// asking again would leave a VM lost for ever. So each is ordered once, and one
/// that found no room waits for something that may have made some: a host that is
/// up or has changed, a VM that has gone, a migration that is over. A storm of
/// those doesn't become a storm of orders: the pause between two of one VM doubles.
///
/// Pure. Nothing here decides: apply compares the epoch, the lease and the VM's
/// state, and takes the first order only.
class recovery_state {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit recovery_state(recovery_config config = {}) : config_{config} {
    // nop
  }

  // What the feed says; see `feed_follower::sink`.
  void put(const any_record& record);
  void remove(const any_record& record);
  void keep_only(const std::set<std::pair<record_type, uuid>>& named);

  /// Orders to propose now; each is answered with `answered`.
  std::vector<replace_vm> next(time_point now);
  /// What became of an order; nothing: nobody knows.
  void answered(vm_id vm, const std::optional<command_outcome>& outcome, time_point now);

  /// VMs that wait to be placed elsewhere.
  [[nodiscard]] size_t waiting() const { return lost_.size(); }

private:
  struct lost_vm {
    novacron::epoch epoch;
    node_id host;
    uint64_t revision = 0;
    bool ordered = false;    ///< and not answered yet
    bool needs_room = false; ///< there was none at `room_seen`
    uint64_t room_seen = 0;
    time_point not_before;
    std::chrono::milliseconds pause{0};
  };

  void put_vm(const vm_record& vm);
  void put_host(const host_record& host);
  [[nodiscard]] bool due(const lost_vm& vm, time_point now) const;

  recovery_config config_;
  std::map<vm_id, lost_vm> lost_;
  std::map<node_id, host_record> hosts_;
  uint64_t room_ = 1; ///< rises with all that may have made room
  size_t orders_ = 0; ///< on their way
};

} // namespace novacron
