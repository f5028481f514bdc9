#pragma once

#include "messages/changes.hpp"
#include "messages/local.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace novacron {

struct scheduler_config {
  uint64_t vcpu_overcommit = 8; ///< guests' vcpus for each of the host's; as apply counts
  /// How long a choice counts before the feed shows it; a command that takes
  /// longer was lost.
  std::chrono::milliseconds remember{10'000};
};

/// Chooses hosts: filters those that can, takes the least loaded.
///
/// The problem: the state that we choose from is a moment old. A hundred creates
/// that come at once would all be sent to the host that is the emptiest now, and
/// most be refused. So each choice counts as if it were placed already, until
/// the feed shows it, or it was lost.
///
/// Pure and deterministic: equal records, choices and questions give equal
/// answers, whatever order the records came in.
class scheduler_state {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit scheduler_state(scheduler_config config = {}) : config_{config} {
    // nop
  }

  // What the feed says; see `feed_follower::sink`.
  void put(const any_record& record);
  void remove(const any_record& record);
  void keep_only(const std::set<std::pair<record_type, uuid>>& named);

  /// Answers a question, and remembers the choice. An earlier choice for the
  /// same VM no longer counts.
  place_answer choose(const place_request& request, time_point now);

  [[nodiscard]] size_t promises() const { return promises_.size(); }

private:
  struct guest_load {
    uint64_t memory_mib = 0;
    uint64_t vcpus = 0;
  };
  struct promised_place {
    node_id host;
    guest_load weight;
    time_point until;
  };
  struct wish {
    vm_id vm;
    const vm_spec* spec = nullptr;
    node_id except;
    node_id leaves; ///< a migration's source; nil for a create
  };

  [[nodiscard]] std::map<node_id, guest_load> loads() const;
  [[nodiscard]] place_answer best_for(const wish& what) const;
  void forget_promises(time_point now);

  scheduler_config config_;
  std::map<node_id, host_record> hosts_;
  std::unordered_map<vm_id, vm_record> vms_;
  std::unordered_map<migration_id, migration_record> migrations_;
  std::map<vm_id, promised_place> promises_;
};

} // namespace novacron
