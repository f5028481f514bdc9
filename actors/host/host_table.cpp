#include "actors/host/host_table.hpp"

#include <utility>

namespace novacron {

namespace {

template <class Table, class Key>
auto find_in(const Table& table, const Key& key) -> decltype(&table.begin()->second) {
  auto i = table.find(key);
  return i == table.end() ? nullptr : &i->second;
}

/// Puts `record` unless a newer one is there already.
template <class Table, class Record>
bool put_newer(Table& table, const Record& record) {
  auto [i, inserted] = table.try_emplace(record.id, record);
  if (!inserted && i->second.revision >= record.revision)
    return false;
  i->second = record;
  return true;
}

bool called_off(const migration_record& migration) {
  return migration.phase == migration_phase::aborted || migration.phase == migration_phase::returned
         || migration.phase == migration_phase::rolled_back;
}

template <class Table, class Changed>
void sweep(Table& table, record_type type, const std::set<std::pair<record_type, uuid>>& listed,
           Changed changed) {
  for (auto i = table.begin(); i != table.end();)
    if (listed.contains({type, i->first.value}))
      ++i;
    else {
      changed(i->first);
      i = table.erase(i);
    }
}

} // namespace

feed_follower::sink host_table::sink() {
  return {
      [this](const any_record& x) { std::visit([this](const auto& record) { put(record); }, x); },
      [this](const any_record& x) { remove(x); },
      [this](const auto& listed) { keep_only(listed); },
      {},
  };
}

void host_table::put(const vm_record& record) {
  if (!put_newer(vms_, record))
    return;
  changed_vms_.insert(record.id);
  if (!powered_off(record.id))
    power_offs_.erase(record.id);
}

void host_table::put(const migration_record& record) {
  auto is_new = !migrations_.contains(record.id);
  if (!put_newer(migrations_, record))
    return;
  if (is_new && listed_ && record.undecided())
    fresh_.insert(record.id);
  changed_migrations_.insert(record.id);
  changed_vms_.insert(record.vm);
}

void host_table::put(const host_record& record) {
  put_newer(hosts_, record);
}

void host_table::put(const operation_record&) {
  // Operations are the API's; a host doesn't need them.
}

void host_table::put(const task_record&) {
  // Nor tasks: what they do to a host's VMs it sees at the VMs.
}

void host_table::put(const node_record&) {
  // The roster's.
}

void host_table::put(const join_token_record&) {
  // The API's.
}

void host_table::remove(const any_record& record) {
  if (auto* vm = std::get_if<vm_record>(&record)) {
    vms_.erase(vm->id);
    power_offs_.erase(vm->id);
    changed_vms_.insert(vm->id);
  } else if (auto* migration = std::get_if<migration_record>(&record)) {
    migrations_.erase(migration->id);
    fresh_.erase(migration->id);
  } else if (auto* host = std::get_if<host_record>(&record)) {
    hosts_.erase(host->id);
  }
}

void host_table::keep_only(const std::set<std::pair<record_type, uuid>>& listed) {
  listed_ = true;
  sweep(vms_, record_type::vm, listed, [this](vm_id x) {
    power_offs_.erase(x);
    changed_vms_.insert(x);
  });
  sweep(migrations_, record_type::migration, listed, [this](migration_id x) { fresh_.erase(x); });
  sweep(hosts_, record_type::host, listed, [](node_id) {});
}

std::vector<vm_id> host_table::take_changed_vms() {
  auto changed = std::exchange(changed_vms_, {});
  return {changed.begin(), changed.end()};
}

std::vector<migration_id> host_table::take_changed_migrations() {
  auto changed = std::exchange(changed_migrations_, {});
  return {changed.begin(), changed.end()};
}

const vm_record* host_table::find(vm_id vm) const {
  return find_in(vms_, vm);
}

const migration_record* host_table::find(migration_id migration) const {
  return find_in(migrations_, migration);
}

const host_record* host_table::find(node_id host) const {
  return find_in(hosts_, host);
}

bool host_table::hosts_awaited() const {
  return std::ranges::any_of(hosts_, [](const auto& each) { return each.second.is_awaited(); });
}

std::optional<vm_changed> host_table::word_for(vm_id vm) const {
  const auto* record = find(vm);
  if (!record)
    return std::nullopt;
  vm_changed word{*record, std::nullopt, false};
  if (const auto* migration = find(record->migration); migration && !migration->over())
    word.migration = *migration;
  return word;
}

std::optional<migration_changed> host_table::word_for(migration_id migration) {
  const auto* record = find(migration);
  if (!record)
    return std::nullopt;
  vm_record moving;
  if (const auto* vm = find(record->vm))
    moving = *vm;
  else if (record->over() || (record->to == self_ && called_off(*record)))
    moving.id = record->vm; // it is elsewhere, and concerns us no more but for what we made of it
  else
    return std::nullopt;
  migration_changed word{*record, moving, std::nullopt, fresh_.erase(migration) > 0};
  if (const auto* peer = find(record->from == self_ ? record->to : record->from))
    word.peer = *peer;
  return word;
}

void host_table::powers_off(vm_id vm) {
  if (const auto* record = find(vm))
    power_offs_[vm] = record->epoch;
}

bool host_table::powered_off(vm_id vm) const {
  const auto* record = find(vm);
  const auto* under = find_in(power_offs_, vm);
  return record && under && *under == record->epoch;
}

bool host_table::belongs_here(vm_id vm, epoch epoch) const {
  const auto* record = find(vm);
  if (!record)
    return false;
  const auto* migration = find(record->migration);
  return (migration && !migration->over()) || (record->host == self_ && record->epoch == epoch);
}

bool host_table::needs_actor(const vm_record& vm) const {
  return vm.host == self_ && vm.actual != actual_state::gone;
}

bool host_table::needs_actor(const migration_record& migration) const {
  if (migration.over())
    return false;
  return (migration.from == self_ && !migration.source_clean)
         || (migration.to == self_ && !migration.destination_clean);
}

void host_table::forget_elsewhere(const std::function<bool(vm_id)>& needed) {
  std::erase_if(vms_, [&](const auto& each) {
    const auto& [id, vm] = each;
    const bool moves = !vm.migration.nil() && !find(vm.migration); // it may be on its way to us
    if (concerns_us(vm) || moves || needed(id))
      return false;
    power_offs_.erase(id);
    return true;
  });
}

/// A VM that has left stays in the table until it is forgotten.
bool host_table::concerns_us(const vm_record& vm) const {
  const auto* migration = find(vm.migration);
  return vm.host == self_ || (migration && !migration->over());
}

std::set<vm_id> host_table::all_vms() const {
  std::set<vm_id> all;
  for (const auto& [id, vm] : vms_)
    if (concerns_us(vm))
      all.insert(id);
  return all;
}

} // namespace novacron
