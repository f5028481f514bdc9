#include "hypervisor/pending_changes.hpp"

namespace novacron {

void pending_changes::add(vm_id vm, bool powered_off) {
  std::lock_guard guard{mutex_};
  pending_.guests[vm] |= powered_off;
  wake_.notify_one();
}

void pending_changes::add_all() {
  std::lock_guard guard{mutex_};
  pending_.all = true;
  wake_.notify_one();
}

void pending_changes::stop() {
  std::lock_guard guard{mutex_};
  pending_.stopping = true;
  wake_.notify_one();
}

pending_changes::taken pending_changes::wait(std::chrono::milliseconds limit) {
  std::unique_lock guard{mutex_};
  wake_.wait_for(guard, limit,
                 [&] { return pending_.stopping || pending_.all || !pending_.guests.empty(); });
  taken out;
  out.stopping = pending_.stopping;
  std::swap(out.all, pending_.all);
  std::swap(out.guests, pending_.guests);
  return out;
}

} // namespace novacron
