#include "actors/recovery/recovery_state.hpp"

#include <algorithm>

namespace novacron {

namespace {

bool to_be_placed(const vm_record& vm) {
  return vm.actual == actual_state::lost && vm.fenced && vm.requested == requested_state::running
         && vm.migration.nil();
}

/// Something that the placement filters look at is otherwise than it was.
bool may_take_more(const host_record& host, const host_record* before) {
  if (host.state != host_state::up)
    return false;
  return before == nullptr || before->state != host_state::up
         || before->memory_mib < host.memory_mib || before->vcpus < host.vcpus
         || before->memory_overcommit_percent < host.memory_overcommit_percent
         || before->vcpu_overcommit_percent < host.vcpu_overcommit_percent
         || before->images != host.images || before->labels != host.labels
         || before->networks != host.networks;
}

} // namespace

void recovery_state::put(const any_record& record) {
  if (auto* vm = std::get_if<vm_record>(&record))
    put_vm(*vm);
  else if (auto* host = std::get_if<host_record>(&record))
    put_host(*host);
  else if (auto* migration = std::get_if<migration_record>(&record))
    room_ += migration->over() ? 1 : 0;
}

void recovery_state::put_vm(const vm_record& vm) {
  if (vm.actual == actual_state::gone)
    ++room_;
  auto known = lost_.find(vm.id);
  if (known != lost_.end() && vm.revision < known->second.revision)
    return;
  if (!to_be_placed(vm)) {
    if (known == lost_.end())
      return;
    orders_ -= known->second.ordered ? 1 : 0;
    lost_.erase(known);
    return;
  }
  auto& entry = lost_[vm.id];
  if (entry.revision == 0 || entry.epoch != vm.epoch || entry.host != vm.host) {
    orders_ -= entry.ordered ? 1 : 0;
    entry = {};
    entry.epoch = vm.epoch;
    entry.host = vm.host;
  }
  entry.revision = vm.revision;
}

void recovery_state::put_host(const host_record& host) {
  auto known = hosts_.find(host.id);
  if (known != hosts_.end() && host.revision < known->second.revision)
    return;
  if (may_take_more(host, known == hosts_.end() ? nullptr : &known->second))
    ++room_;
  hosts_.insert_or_assign(host.id, host);
}

void recovery_state::remove(const any_record& record) {
  if (auto* vm = std::get_if<vm_record>(&record)) {
    auto last = *vm;
    last.actual = actual_state::gone;
    put_vm(last);
  } else if (auto* host = std::get_if<host_record>(&record)) {
    hosts_.erase(host->id);
  }
}

void recovery_state::keep_only(const std::set<std::pair<record_type, uuid>>& named) {
  for (auto i = lost_.begin(); i != lost_.end();)
    if (named.contains({record_type::vm, i->first.value})) {
      ++i;
    } else {
      orders_ -= i->second.ordered ? 1 : 0;
      i = lost_.erase(i);
    }
  std::erase_if(hosts_, [&](const auto& each) {
    return !named.contains({record_type::host, each.first.value});
  });
}

bool recovery_state::due(const lost_vm& vm, time_point now) const {
  return !vm.ordered && now >= vm.not_before && (!vm.needs_room || room_ > vm.room_seen);
}

std::vector<replace_vm> recovery_state::next(time_point now) {
  std::vector<replace_vm> orders;
  for (auto& [id, vm] : lost_) {
    if (orders_ >= config_.most_orders)
      break;
    auto host = hosts_.find(vm.host);
    if (!due(vm, now) || host == hosts_.end())
      continue;
    vm.ordered = true;
    vm.needs_room = false;
    vm.room_seen = room_;
    ++orders_;
    orders.push_back({id, vm.epoch, host->second.lost_lease, {}, {}});
  }
  return orders;
}

void recovery_state::answered(vm_id id, const std::optional<command_outcome>& outcome,
                              time_point now) {
  auto known = lost_.find(id);
  if (known == lost_.end() || !known->second.ordered)
    return;
  auto& vm = known->second;
  vm.ordered = false;
  --orders_;
  // Placed or refused, the feed says how it is now; if it says nothing new, we ask again.
  vm.pause = std::clamp(vm.pause * 2, config_.pause, config_.longest_pause);
  vm.not_before = now + vm.pause;
  vm.needs_room = outcome && outcome->ok() && !outcome->detail.empty();
}

} // namespace novacron
