#include "actors/scheduler/placement_state.hpp"

#include <vector>

namespace novacron {

namespace {

template <class Table, class Record>
bool is_newer(const Table& table, const Record& record) {
  auto at = table.find(record.id);
  return at == table.end() || at->second.revision < record.revision;
}

} // namespace

void placement_state::put(const any_record& record) {
  if (auto* vm = std::get_if<vm_record>(&record)) {
    if (is_newer(vms_, *vm))
      take(*vm);
  } else if (auto* migration = std::get_if<migration_record>(&record)) {
    if (is_newer(migrations_, *migration))
      take(*migration);
  } else if (auto* host = std::get_if<host_record>(&record)) {
    if (is_newer(hosts_, *host))
      hosts_.insert_or_assign(host->id, *host);
  }
}

void placement_state::remove(const any_record& record) {
  if (auto* vm = std::get_if<vm_record>(&record))
    drop(vm->id);
  else if (auto* migration = std::get_if<migration_record>(&record))
    drop(migration->id);
  else if (auto* host = std::get_if<host_record>(&record))
    hosts_.erase(host->id);
}

void placement_state::keep_only(const std::set<std::pair<record_type, uuid>>& named) {
  std::vector<vm_id> vms;
  std::vector<migration_id> migrations;
  for (const auto& [id, vm] : vms_)
    if (!named.contains({record_type::vm, id.value}))
      vms.push_back(id);
  for (const auto& [id, migration] : migrations_)
    if (!named.contains({record_type::migration, id.value}))
      migrations.push_back(id);
  for (const auto& id : vms)
    drop(id);
  for (const auto& id : migrations)
    drop(id);
  std::erase_if(hosts_, [&](const auto& each) {
    return !named.contains({record_type::host, each.first.value});
  });
}

const vm_record* placement_state::find(vm_id vm) const {
  auto at = vms_.find(vm);
  return at == vms_.end() ? nullptr : &at->second;
}

host_load placement_state::load_of(node_id host) const {
  auto at = loads_.find(host);
  return at == loads_.end() ? host_load{} : at->second;
}

bool placement_state::has_member(const std::string& group, vm_id but) const {
  auto at = members_.find(group);
  return at != members_.end() && at->second.size() > (at->second.contains(but) ? 1U : 0U);
}

void placement_state::take(const vm_record& vm) {
  count(vm.id, false);
  vms_.insert_or_assign(vm.id, vm);
  count(vm.id, true);
}

void placement_state::take(const migration_record& migration) {
  count(migration.vm, false);
  migrations_.insert_or_assign(migration.id, migration);
  migrations_of_[migration.vm].insert(migration.id);
  count(migration.vm, true);
}

void placement_state::drop(vm_id vm) {
  count(vm, false);
  vms_.erase(vm);
}

void placement_state::drop(migration_id migration) {
  auto at = migrations_.find(migration);
  if (at == migrations_.end())
    return;
  const auto vm = at->second.vm;
  count(vm, false);
  migrations_.erase(at);
  auto& rest = migrations_of_[vm];
  rest.erase(migration);
  if (rest.empty())
    migrations_of_.erase(vm);
  count(vm, true);
}

/// As the state machine's `count_claims`.
void placement_state::count(vm_id id, bool in) {
  auto* vm = find(id);
  if (!vm || vm->actual == actual_state::gone)
    return;
  auto claim = [&](node_id host) {
    if (host.nil())
      return;
    auto& load = loads_[host];
    if (in)
      load.add(vm->spec);
    else
      load.remove(vm->spec);
    if (load.nothing())
      loads_.erase(host);
  };
  claim(vm->host);
  if (auto migrations = migrations_of_.find(id); migrations != migrations_of_.end())
    for (const auto& each : migrations->second)
      claim(holds_room_on(migrations_.at(each)));
  for (const auto& group : vm->spec.placement.groups)
    if (in)
      members_[group].insert(id);
    else
      members_[group].erase(id);
}

} // namespace novacron
