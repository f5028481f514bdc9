// What a recovery from one disk leaves of the log, and what it must leave.

#include "history.hpp"

#include <algorithm>
#include <iterator>

namespace novacron::sim {

std::set<vm_id> history::log_lost_after(uint64_t held) {
  if (answered_ > held)
    seen_.hit(probe::recovered_without_acknowledged);
  for (auto& [vm, known] : vms_) {
    known.erase(known.upper_bound(held), known.end());
    if (known.empty())
      lost_.insert(vm);
  }
  std::erase_if(vms_, [](const auto& each) { return each.second.empty(); });
  std::erase_if(calls_, [&](const auto& x) { return x.second.outcome.revision > held; });
  std::set<vm_id> moved;
  for (const auto& [vm, index] : last_moves_)
    if (index > held)
      moved.insert(vm);
  last_ = held;
  replaying_ = true;
  return moved;
}

void history::recovered_as(uint64_t index, const cluster_state& state) {
  seen_.hit(probe::majority_lost);
  replaying_ = false;
  begun_ = last_ = index;
  size_t there = 0;
  for (const auto& record : state.records()) {
    if (auto host = std::get_if<host_record>(&record);
        host && host->state != host_state::gone && host->state != host_state::fenced)
      unheard_.insert(host->id);
    auto vm = std::get_if<vm_record>(&record);
    if (!vm)
      continue;
    auto known = vms_.find(vm->id);
    if (known == vms_.end())
      throw check_.broken("a recovery made a vm");
    const auto& was = known->second.rbegin()->second;
    auto as_it_was = *vm;
    as_it_was.revision = was.revision;
    as_it_was.seen_boot = was.seen_boot; // which no change tells of
    as_it_was.seen_sequence = was.seen_sequence;
    if (as_it_was != was)
      throw check_.broken("a recovery changed vm " + std::to_string(vm->id.value.low));
    known->second[index] = *vm;
    ++there;
  }
  if (there != vms_.size())
    throw check_.broken("a recovery lost a vm that was on the survivor's disk");
}

void history::hear_of_hosts(const command_batch& batch, const applied_batch& done) {
  if (unheard_.empty())
    return;
  for (size_t i = 0; i < batch.commands.size(); ++i) {
    const auto& outcome = done.outcomes[i];
    if (outcome.error == command_errc::hosts_awaited)
      seen_.hit(probe::placement_awaits_hosts);
    if (auto word = std::get_if<confirm_inventory>(&batch.commands[i].body);
        word && outcome.ok() && unheard_.erase(word->host) > 0)
      seen_.hit(probe::awaited_host_confirmed);
  }
  if (unheard_.empty())
    return;
  for (const auto& each : done.changes) {
    auto vm = std::get_if<vm_record>(&each.record);
    if (!vm)
      continue;
    auto known = vms_.find(vm->id);
    if (known == vms_.end() || known->second.rbegin()->second.host != vm->host
        || known->second.rbegin()->second.epoch != vm->epoch)
      throw check_.broken("vm " + std::to_string(vm->id.value.low)
                          + " was placed or permitted to start while hosts are awaited");
  }
}

} // namespace novacron::sim
