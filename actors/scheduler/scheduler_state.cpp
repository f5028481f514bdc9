#include "actors/scheduler/scheduler_state.hpp"

#include "actors/scheduler/host_choice.hpp"

namespace novacron {

namespace {

template <class Table, class Record>
void put_newer(Table& table, const Record& record) {
  auto [slot, fresh] = table.emplace(record.id, record);
  if (!fresh && slot->second.revision < record.revision)
    slot->second = record;
}

} // namespace

void scheduler_state::put(const any_record& record) {
  if (auto* vm = std::get_if<vm_record>(&record)) {
    put_newer(vms_, *vm);
    // A create shows as its VM; a migration's promise waits for the migration.
    auto promised = promises_.find(vm->id);
    if (promised != promises_.end() && promised->second.host == vm->host)
      promises_.erase(promised);
  } else if (auto* host = std::get_if<host_record>(&record)) {
    put_newer(hosts_, *host);
  } else if (auto* migration = std::get_if<migration_record>(&record)) {
    put_newer(migrations_, *migration);
    promises_.erase(migration->vm);
  }
}

void scheduler_state::remove(const any_record& record) {
  if (auto* vm = std::get_if<vm_record>(&record))
    vms_.erase(vm->id);
  else if (auto* host = std::get_if<host_record>(&record))
    hosts_.erase(host->id);
  else if (auto* migration = std::get_if<migration_record>(&record))
    migrations_.erase(migration->id);
}

void scheduler_state::keep_only(const std::set<std::pair<record_type, uuid>>& named) {
  std::erase_if(vms_, [&](const auto& each) {
    return !named.contains({record_type::vm, each.first.value});
  });
  std::erase_if(hosts_, [&](const auto& each) {
    return !named.contains({record_type::host, each.first.value});
  });
  std::erase_if(migrations_, [&](const auto& each) {
    return !named.contains({record_type::migration, each.first.value});
  });
}

std::map<node_id, scheduler_state::guest_load> scheduler_state::loads() const {
  std::map<node_id, guest_load> out;
  auto add = [&](node_id host, const guest_load& more) {
    out[host].memory_mib += more.memory_mib;
    out[host].vcpus += more.vcpus;
  };
  for (const auto& [id, vm] : vms_)
    if (vm.actual != actual_state::gone)
      add(vm.host, {vm.spec.memory_mib, vm.spec.vcpus});
  for (const auto& [id, migration] : migrations_) {
    auto vm = vms_.find(migration.vm);
    if (!migration.over() && vm != vms_.end() && vm->second.host != migration.to)
      add(migration.to, {vm->second.spec.memory_mib, vm->second.spec.vcpus});
  }
  for (const auto& [vm, promise] : promises_)
    add(promise.host, promise.weight);
  return out;
}

void scheduler_state::forget_promises(time_point now) {
  std::erase_if(promises_, [&](const auto& each) { return now >= each.second.until; });
}

place_answer scheduler_state::choose(const place_request& request, time_point now) {
  forget_promises(now);
  promises_.erase(request.vm);
  wish what{request.vm, &request.spec, request.except, {}};
  if (request.migration || request.replacement) {
    auto vm = vms_.find(request.vm);
    if (vm == vms_.end())
      return {{}, "the scheduler doesn't know vm " + to_string(request.vm) + " yet; try again"};
    what.spec = &vm->second.spec;
    if (request.migration)
      what.leaves = vm->second.host;
  }
  auto answer = best_for(what);
  if (!answer.host.nil())
    promises_[request.vm]
        = {answer.host, {what.spec->memory_mib, what.spec->vcpus}, now + config_.remember};
  return answer;
}

place_answer scheduler_state::best_for(const wish& what) const {
  host_choice choice{*what.spec};
  auto loaded = loads();
  for (const auto& [id, host] : hosts_) {
    if (id == what.except || id == what.leaves)
      continue;
    const auto& load = loaded[id];
    auto vcpus = host.vcpus * config_.vcpu_overcommit;
    choice.consider(host, host.memory_mib - std::min(host.memory_mib, load.memory_mib),
                    vcpus - std::min(vcpus, load.vcpus), !what.leaves.nil());
  }
  return choice.answer();
}

} // namespace novacron
