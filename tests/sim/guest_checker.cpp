#include "guest_checker.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

uint64_t short_name(const uuid& id) {
  return id.low;
}

std::string about(vm_id vm, node_id host, epoch under) {
  return " (vm " + std::to_string(short_name(vm.value)) + ", host "
         + std::to_string(short_name(host.value)) + ", epoch " + to_string(under) + ")";
}

} // namespace

void guest_checker::runs(node_id host, vm_id vm, epoch under, bool ha, guest_body& body) {
  auto& known = guests_[vm];
  check_.trace(11 + short_name(vm.value) * 31 + short_name(host.value) * 131 + under.number * 1009
               + time_.now() * 131071);
  if (known.running.contains(host))
    return;
  if (!known.running.empty())
    throw check_.broken("a guest runs twice: also on host "
                        + std::to_string(short_name(known.running.begin()->value))
                        + about(vm, host, under));
  if (std::exchange(known.move_lost, false) && body.life <= known.life && under <= known.newest) {
    known.life = body.life;
    known.version = body.version;
    known.newest = {};
  }
  if (body.life == known.life && body.version != known.version)
    throw check_.broken("a guest goes on from a memory that another body of it has left behind"
                        + about(vm, host, under));
  if (body.life < known.life)
    throw check_.broken("a guest of an earlier start runs again" + about(vm, host, under));
  if (under < known.newest || (under == known.newest && host != known.newest_host))
    throw check_.broken("a guest runs under an old permission, after " + to_string(known.newest)
                        + about(vm, host, under));
  if (ha && ended_leases_.contains(host))
    throw check_.broken("a guest begins to run though its host's lease is over"
                        + about(vm, host, under));
  known.life = body.life;
  known.version = ++body.version;
  known.newest = under;
  known.newest_host = host;
  known.ha = ha;
  known.running.insert(host);
}

void guest_checker::stops(node_id host, vm_id vm) {
  auto known = guests_.find(vm);
  if (known == guests_.end() || known->second.running.erase(host) == 0)
    return;
  check_.trace(12 + short_name(vm.value) * 31 + short_name(host.value) * 131
               + time_.now() * 131071);
}

bool guest_checker::running(node_id host, vm_id vm) const {
  auto known = guests_.find(vm);
  return known != guests_.end() && known->second.running.contains(host);
}

void guest_checker::log_lost(const std::set<vm_id>& moved) {
  for (auto& [vm, known] : guests_)
    known.move_lost = moved.contains(vm);
  ended_leases_.clear();
}

void guest_checker::lease_ended(node_id host) {
  ended_leases_.insert(host);
  for (const auto& [vm, known] : guests_)
    if (known.ha && known.running.contains(host))
      throw check_.broken("a guest still runs, though its host's lease has ended and it may run "
                          "elsewhere"
                          + about(vm, host, known.newest));
}

} // namespace novacron::sim
