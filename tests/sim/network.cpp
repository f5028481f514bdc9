#include "network.hpp"

#include <algorithm>

namespace novacron::sim {

void network::send(uint64_t from, uint64_t to, const std::function<void()>& arrive) {
  if (luck_.permille(faults_.loss_permille)) {
    seen_.hit(probe::message_lost);
    return;
  }
  deliver(from, to, arrive);
  if (luck_.permille(faults_.duplicate_permille)) {
    seen_.hit(probe::message_duplicated);
    deliver(from, to, arrive);
  }
}

void network::deliver(uint64_t from, uint64_t to, const std::function<void()>& arrive) {
  auto due = time_.now() + luck_.between(faults_.delay_min_ms, faults_.delay_max_ms);
  if (faults_.in_order) {
    auto& last = last_due_[{from, to}];
    due = last = std::max(last, due);
  }
  time_.after(due - time_.now(), [this, from, to, arrive] {
    if (!cut_.contains({from, to}))
      arrive();
  });
}

void network::heal() {
  cut_.clear();
  faults_.loss_permille = faults_.duplicate_permille = 0;
}

} // namespace novacron::sim
