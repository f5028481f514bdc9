#include "storage/state/cluster_state.hpp"

#include <algorithm>
#include <type_traits>

namespace novacron {

namespace {

template <class Map, class Id>
auto* find_in(const Map& map, const Id& id) {
  auto i = map.find(id);
  return i == map.end() ? nullptr : &i->second;
}

} // namespace

std::string answer_key(const idempotency& asked) {
  return asked.principal + '\0' + asked.key;
}

// -- reading ---------------------------------------------------------------------

const vm_record* cluster_state::find(vm_id vm) const {
  return find_in(vms_, vm);
}

const host_record* cluster_state::find(node_id host) const {
  return find_in(hosts_, host);
}

const migration_record* cluster_state::find(migration_id migration) const {
  return find_in(migrations_, migration);
}

const migration_record* cluster_state::queued_of(vm_id vm) const {
  if (auto migrations = find_in(not_over_, vm))
    for (const auto& id : *migrations)
      if (auto each = find(id); each->waits())
        return each;
  return nullptr;
}

const operation_record* cluster_state::find(operation_id operation) const {
  return find_in(operations_, operation);
}

const task_record* cluster_state::find(task_id task) const {
  return find_in(tasks_, task);
}

const node_record* cluster_state::find_node(node_id node) const {
  return find_in(nodes_, node);
}

const join_token_record* cluster_state::find(token_id token) const {
  return find_in(join_tokens_, token);
}

std::vector<node_record> cluster_state::nodes() const {
  std::vector<node_record> all;
  for (const auto& [id, node] : nodes_)
    all.push_back(node);
  return all;
}

std::vector<lease_record> cluster_state::leases() const {
  std::vector<lease_record> all;
  for (const auto& [host, lease] : leases_)
    all.push_back(lease);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.host < b.host; });
  return all;
}

host_load cluster_state::load_of(node_id host) const {
  auto load = find_in(load_, host);
  return load ? *load : host_load{};
}

uint64_t cluster_state::members_of(const std::string& group) const {
  uint64_t members = 0;
  for (const auto& [host, load] : load_)
    if (auto at = load.groups.find(group); at != load.groups.end())
      members += at->second;
  return members;
}

std::vector<any_record> cluster_state::records() const {
  std::vector<any_record> all;
  auto add = [&](const auto& map) {
    for (const auto& [id, record] : map)
      all.emplace_back(record);
  };
  add(vms_);
  add(hosts_);
  add(migrations_);
  add(operations_);
  add(tasks_);
  add(nodes_);
  add(join_tokens_);
  auto key = [](const any_record& x) { return std::pair{type_of(x), id_of(x)}; };
  std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  return all;
}

// -- loading ---------------------------------------------------------------------

void cluster_state::load(any_record record) {
  std::visit(
      [this](auto&& x) {
        using kind_of_record = std::decay_t<decltype(x)>;
        auto id = x.id;
        if constexpr (std::is_same_v<kind_of_record, vm_record>)
          vms_.insert_or_assign(id, std::move(x));
        else if constexpr (std::is_same_v<kind_of_record, host_record>)
          hosts_.insert_or_assign(id, std::move(x));
        else if constexpr (std::is_same_v<kind_of_record, migration_record>)
          migrations_.insert_or_assign(id, std::move(x));
        else if constexpr (std::is_same_v<kind_of_record, operation_record>)
          operations_.insert_or_assign(id, std::move(x));
        else if constexpr (std::is_same_v<kind_of_record, task_record>)
          tasks_.insert_or_assign(id, std::move(x));
        else if constexpr (std::is_same_v<kind_of_record, node_record>)
          nodes_.insert_or_assign(id, std::move(x));
        else
          join_tokens_.insert_or_assign(id, std::move(x));
      },
      std::move(record));
}

void cluster_state::load(lease_record lease) {
  leases_.insert_or_assign(lease.host, lease);
}

void cluster_state::load(stored_answer answer) {
  auto key = answer_key(answer.asked);
  answers_.insert_or_assign(std::move(key), std::move(answer));
}

void cluster_state::loaded(uint64_t revision, log_time now) {
  revision_ = revision;
  now_ = now;
  names_.clear();
  load_.clear();
  not_over_.clear();
  under_way_.clear();
  queue_.clear();
  put_off_.clear();
  tombstones_.clear();
  due_restarts_.clear();
  ended_operations_.clear();
  over_migrations_.clear();
  ended_tasks_.clear();
  running_tasks_.clear();
  tasks_of_.clear();
  answers_by_expiry_.clear();
  for (const auto& [id, migration] : migrations_)
    index(migration);
  for (const auto& [id, vm] : vms_) {
    index(vm);
    count_claims(vm, 1);
  }
  for (const auto& [id, operation] : operations_)
    index(operation);
  for (const auto& [id, task] : tasks_)
    index(task);
  for (const auto& [key, answer] : answers_)
    answers_by_expiry_.emplace(answer.expires, key);
}

// -- indexes ---------------------------------------------------------------------

void cluster_state::index(const vm_record& vm) {
  if (vm.actual == actual_state::gone)
    tombstones_.emplace(vm.changed, vm.id);
  else
    names_[vm.name] = vm.id;
  if (vm.restarts.due != log_time{})
    due_restarts_.emplace(vm.restarts.due, vm.id);
}

void cluster_state::unindex(const vm_record& vm) {
  if (vm.actual == actual_state::gone)
    tombstones_.erase({vm.changed, vm.id});
  else
    names_.erase(vm.name);
  due_restarts_.erase({vm.restarts.due, vm.id});
}

void cluster_state::index(const migration_record& migration) {
  if (migration.over())
    over_migrations_.emplace(migration.ended, migration.id);
  else
    not_over_[migration.vm].insert(migration.id);
  if (is_under_way(migration))
    under_way_.insert(migration.id);
  if (!migration.waits())
    return;
  queue_.insert(place_of(migration));
  if (migration.not_before != log_time{})
    put_off_.emplace(migration.not_before, migration.id);
}

void cluster_state::unindex(const migration_record& migration) {
  under_way_.erase(migration.id);
  queue_.erase(place_of(migration));
  put_off_.erase({migration.not_before, migration.id});
  if (migration.over()) {
    over_migrations_.erase({migration.ended, migration.id});
    return;
  }
  auto i = not_over_.find(migration.vm);
  i->second.erase(migration.id);
  if (i->second.empty())
    not_over_.erase(i);
}

void cluster_state::index(const operation_record& operation) {
  if (operation.state != operation_state::running)
    ended_operations_.emplace(operation.ended, operation.id);
}

void cluster_state::unindex(const operation_record& operation) {
  if (operation.state != operation_state::running)
    ended_operations_.erase({operation.ended, operation.id});
}

void cluster_state::index(const task_record& task) {
  if (task.state != task_state::running) {
    ended_tasks_.emplace(task.ended, task.id);
    return;
  }
  running_tasks_.insert(task.id);
  for (const auto& move : task.moves)
    tasks_of_[move.vm].insert(task.id);
}

void cluster_state::unindex(const task_record& task) {
  if (task.state != task_state::running) {
    ended_tasks_.erase({task.ended, task.id});
    return;
  }
  running_tasks_.erase(task.id);
  for (const auto& move : task.moves) {
    auto i = tasks_of_.find(move.vm);
    if (i == tasks_of_.end())
      continue;
    i->second.erase(task.id);
    if (i->second.empty())
      tasks_of_.erase(i);
  }
}

void cluster_state::count_claims(const vm_record& vm, int sign) {
  if (vm.actual == actual_state::gone)
    return;
  auto count = [&](node_id host) {
    if (host.nil())
      return;
    auto& load = load_[host];
    if (sign > 0)
      load.add(vm.spec);
    else
      load.remove(vm.spec);
    if (load.nothing())
      load_.erase(host);
  };
  count(vm.host);
  if (auto migrations = find_in(not_over_, vm.id))
    for (const auto& id : *migrations)
      count(holds_room_on(migrations_.at(id)));
}

} // namespace novacron
