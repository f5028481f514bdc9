#pragma once

#include "actors/scheduler/placement.hpp"
#include "messages/local.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace novacron {

struct scheduler_config {
  /// How long a choice counts before the feed shows it; a command that takes
  /// longer was lost.
  std::chrono::milliseconds remember{10'000};
};

/// Chooses hosts: filters those that can, takes the one that weighs most.
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
  void remove(const any_record& record) { state_.remove(record); }
  void keep_only(const std::set<std::pair<record_type, uuid>>& named) { state_.keep_only(named); }

  /// Answers a question, and remembers the choice. An earlier choice for the
  /// same VM no longer counts.
  place_answer choose(const place_request& request, time_point now);

  [[nodiscard]] size_t promises() const { return promises_.size(); }

private:
  struct promised_place {
    node_id host;
    vm_spec spec;
    time_point until;
  };

  [[nodiscard]] promised_loads promised() const;

  scheduler_config config_;
  placement_state state_;
  std::map<vm_id, promised_place> promises_;
};

} // namespace novacron
