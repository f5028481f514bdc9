#pragma once

#include "probes.hpp"
#include "random.hpp"
#include "scheduler.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace novacron::sim {

struct network_faults {
  uint64_t delay_min_ms = 1;
  uint64_t delay_max_ms = 20;
  uint64_t loss_permille = 0;
  uint64_t duplicate_permille = 0;
  bool in_order = true; ///< per pair; else anything overtakes anything
};

/// Carries closures between nodes, named by number: what a message is, and what
/// its arrival does, is the nodes' business.
class network {
public:
  network(scheduler& time, chance& luck, probes& seen, network_faults faults)
      : time_{time}, luck_{luck}, seen_{seen}, faults_{faults} {
    // nop
  }

  /// `arrive` is called never, once or, if doubled, twice.
  void send(uint64_t from, uint64_t to, const std::function<void()>& arrive);

  /// Nothing gets from `from` to `to` any more.
  void cut(uint64_t from, uint64_t to) { cut_.emplace(from, to); }
  void join(uint64_t from, uint64_t to) { cut_.erase({from, to}); }
  [[nodiscard]] bool whole() const { return cut_.empty(); }
  /// Something gets through in both directions.
  [[nodiscard]] bool joined(uint64_t one, uint64_t other) const {
    return !cut_.contains({one, other}) && !cut_.contains({other, one});
  }
  /// What `from` says gets through to `to`.
  [[nodiscard]] bool carries(uint64_t from, uint64_t to) const {
    return !cut_.contains({from, to});
  }
  /// No cuts, no losses.
  void heal();

private:
  void deliver(uint64_t from, uint64_t to, const std::function<void()>& arrive);

  scheduler& time_;
  chance& luck_;
  probes& seen_;
  network_faults faults_;
  std::set<std::pair<uint64_t, uint64_t>> cut_;
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> last_due_;
};

} // namespace novacron::sim
