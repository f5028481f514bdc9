#include "actors/stonith/stonith_state.hpp"

#include <algorithm>

namespace novacron {

namespace {

bool waits_for_proof(const vm_record& vm) {
  return vm.actual == actual_state::lost && !vm.fenced;
}

} // namespace

void stonith_state::put(const any_record& record, time_point now) {
  if (const auto* vm = std::get_if<vm_record>(&record))
    put_vm(*vm);
  else if (const auto* host = std::get_if<host_record>(&record))
    put_host(*host, now);
}

void stonith_state::put_host(const host_record& host, time_point now) {
  auto& known = hosts_[host.id];
  if (host.revision < known.revision)
    return;
  const bool unreachable = host.state == host_state::unreachable;
  const bool same_loss = unreachable && known.unreachable && known.lost_lease == host.lost_lease;
  known.name = host.name;
  known.revision = host.revision;
  known.lost_lease = host.lost_lease;
  known.unreachable = unreachable;
  if (same_loss)
    return;
  known.since = now;
  known.off = false;
  known.not_before = {};
  known.pause = {};
}

void stonith_state::put_vm(const vm_record& vm) {
  forget(vm.id);
  if (!waits_for_proof(vm))
    return;
  waiting_.emplace(vm.id, vm.host);
  hosts_[vm.host].waiting.insert(vm.id);
}

void stonith_state::forget(vm_id vm) {
  const auto known = waiting_.find(vm);
  if (known == waiting_.end())
    return;
  hosts_[known->second].waiting.erase(vm);
  waiting_.erase(known);
}

void stonith_state::remove(const any_record& record) {
  if (const auto* vm = std::get_if<vm_record>(&record))
    forget(vm->id);
  else if (const auto* host = std::get_if<host_record>(&record))
    hosts_[host->id].unreachable = false;
}

void stonith_state::keep_only(const std::set<std::pair<record_type, uuid>>& named) {
  std::vector<vm_id> gone;
  for (const auto& [vm, host] : waiting_)
    if (!named.contains({record_type::vm, vm.value}))
      gone.push_back(vm);
  for (const auto& vm : gone)
    forget(vm);
  for (auto& [id, host] : hosts_)
    if (!named.contains({record_type::host, id.value}))
      host.unreachable = false;
}

bool stonith_state::due(const known_host& host, time_point now) const {
  return host.now == phase::idle && host.unreachable && !host.waiting.empty()
         && now >= host.since + config_.after && now >= host.not_before;
}

stonith_state::effects stonith_state::tick(time_point now) {
  effects out;
  for (auto& [id, host] : hosts_) {
    const bool same_loss = host.unreachable && host.lost_lease == host.run_for;
    if (host.now == phase::running && !same_loss) {
      host.now = phase::ending;
      out.emplace_back(end_command{id});
    }
    if (!due(host, now))
      continue;
    if (host.off) {
      host.now = phase::saying;
      out.emplace_back(say_fenced{id});
    } else if (runs_ < config_.most_runs) {
      ++runs_;
      host.now = phase::running;
      host.run_for = host.lost_lease;
      out.emplace_back(run_command{id, host.name});
    }
  }
  std::erase_if(hosts_, [](const auto& each) {
    const auto& host = each.second;
    return host.now == phase::idle && !host.unreachable && host.waiting.empty();
  });
  return out;
}

bool stonith_state::ended(node_id id, bool off, time_point now) {
  const auto known = hosts_.find(id);
  if (known == hosts_.end()
      || (known->second.now != phase::running && known->second.now != phase::ending))
    return false;
  auto& host = known->second;
  --runs_;
  host.now = phase::idle;
  // It may have been ended when it was done already; and a host that was back in
  // between is not off by what was done before.
  host.off = off && host.unreachable && host.lost_lease == host.run_for;
  if (!host.off)
    back_off(host, now);
  return host.off;
}

void stonith_state::answered(node_id id, time_point now) {
  const auto known = hosts_.find(id);
  if (known == hosts_.end() || known->second.now != phase::saying)
    return;
  auto& host = known->second;
  host.now = phase::idle;
  // Taken or refused, the feed says soon how it is; if it doesn't, the word is said again.
  back_off(host, now);
}

void stonith_state::back_off(known_host& host, time_point now) const {
  host.pause = std::clamp(host.pause * 2, config_.pause, config_.longest_pause);
  host.not_before = now + host.pause;
}

} // namespace novacron
