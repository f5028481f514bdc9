#include "actors/view/view_table.hpp"

#include "actors/view/json_writer.hpp"

#include <algorithm>
#include <mutex>

namespace novacron {

namespace {

shared_json share(std::string json) {
  return std::make_shared<const std::string>(std::move(json));
}

size_t number_of(actual_state state) {
  return static_cast<size_t>(state);
}

/// Takes room on its host.
bool placed(const vm_record& vm) {
  return vm.actual != actual_state::gone;
}

template <class Index, class Key, class Id>
void drop(Index& index, const Key& key, const Id& id) {
  auto at = index.find(key);
  if (at == index.end())
    return;
  at->second.erase(id);
  if (at->second.empty())
    index.erase(at);
}

shared_json event_json(uint64_t revision, const any_record& record, bool removed,
                       const std::string& json) {
  json_writer out;
  out.begin_object();
  out.key("revision").number(revision);
  out.key("type").text(to_string(type_of(record)));
  out.key("event").text(removed ? "removed" : "changed");
  out.key("record").raw(json);
  out.end_object();
  return share(out.take());
}

} // namespace

// -- records in --------------------------------------------------------------------

void view_table::listed(const any_record& record) {
  std::unique_lock lock{mutex_};
  put(record);
}

void view_table::changed(const any_record& record) {
  std::unique_lock lock{mutex_};
  if (put(record))
    staged_.push_back({record, false, json_of(record)});
}

void view_table::removed(const any_record& record) {
  std::unique_lock lock{mutex_};
  auto json = json_of(record);
  erase(type_of(record), id_of(record));
  staged_.push_back({record, true, json});
}

void view_table::keep_only(const std::set<std::pair<record_type, uuid>>& named) {
  std::unique_lock lock{mutex_};
  std::vector<std::pair<record_type, uuid>> gone;
  auto collect = [&](record_type type, const auto& shelf) {
    for (const auto& [id, entry] : shelf)
      if (!named.contains({type, id.value}))
        gone.emplace_back(type, id.value);
  };
  collect(record_type::vm, vms_);
  collect(record_type::host, hosts_);
  collect(record_type::migration, migrations_);
  collect(record_type::operation, operations_);
  collect(record_type::task, tasks_);
  collect(record_type::node, nodes_);
  collect(record_type::join_token, join_tokens_);
  for (const auto& [type, id] : gone)
    erase(type, id);
  staged_.clear();
  relisted_ = true;
}

void view_table::progress(const migration_progress& progress) {
  std::unique_lock lock{mutex_};
  auto at = migrations_.find(progress.migration);
  if (at == migrations_.end() || at->second.record.over())
    return;
  at->second.progress = progress;
  render(at->second);
}

void view_table::advance(uint64_t revision) {
  std::vector<staged_event> published;
  std::vector<operation_id> ended;
  {
    std::unique_lock lock{mutex_};
    published = std::exchange(staged_, {});
    revision_ = std::max(revision_, revision);
    complete_ = true;
    if (std::exchange(relisted_, false)) {
      events_.reset(revision_);
      for (const auto& [id, entry] : operations_)
        if (entry.record.state != operation_state::running)
          ended.push_back(id);
    }
    // A removed record carries the revision of its last content, not of its
    // removal. The next event's is never too early: repeating an event is
    // harmless, missing one isn't.
    std::vector<uint64_t> revisions(published.size());
    auto latest = revision_;
    for (auto i = published.size(); i-- > 0;) {
      auto own = std::visit([](const auto& x) { return x.revision; }, published[i].record);
      latest = published[i].removed ? latest : std::min(latest, own);
      revisions[i] = latest;
    }
    for (size_t i = 0; i < published.size(); ++i) {
      const auto& [record, gone, json] = published[i];
      events_.push({revisions[i], event_json(revisions[i], record, gone, *json)});
    }
  }
  for (const auto& each : published)
    if (auto* operation = std::get_if<operation_record>(&each.record))
      if (each.removed || operation->state != operation_state::running)
        ended.push_back(operation->id);
  observer seen_by;
  {
    std::lock_guard lock{observer_mutex_};
    seen_by = observer_;
  }
  if (seen_by)
    for (const auto& each : published)
      if (!each.removed)
        seen_by(each.record);
  for (const auto& id : ended)
    waiters_.ended(id);
  waiters_.reached(revision);
}

bool view_table::put(const any_record& record) {
  return std::visit([this](const auto& x) { return put_one(x); }, record);
}

bool view_table::put_one(const vm_record& vm) {
  auto at = vms_.find(vm.id);
  if (at != vms_.end()) {
    if (at->second.record.revision >= vm.revision)
      return false;
    unindex(at->second.record);
  } else {
    at = vms_.emplace(vm.id, vm_entry{}).first;
  }
  at->second.record = vm;
  render(at->second);
  index(vm);
  return true;
}

bool view_table::put_one(const host_record& host) {
  auto& entry = hosts_[host.id];
  if (entry.id == host.id && entry.revision >= host.revision)
    return false;
  bool renamed = entry.name != host.name;
  entry = host;
  if (!renamed)
    return true;
  if (auto at = vms_by_host_.find(host.id); at != vms_by_host_.end())
    for (const auto& id : at->second)
      render(vms_.at(id));
  for (auto& [id, migration] : migrations_)
    if (migration.record.from == host.id || migration.record.to == host.id)
      render(migration);
  return true;
}

bool view_table::put_one(const migration_record& migration) {
  auto& entry = migrations_[migration.id];
  if (entry.json && entry.record.revision >= migration.revision)
    return false;
  if (migration.phase == migration_phase::done && entry.record.phase != migration.phase)
    durations_.add(migration.cost.duration);
  unindex(entry.record);
  entry.record = migration;
  if (migration.over())
    entry.progress.reset();
  if (migration.undecided() || migration.waits())
    reserved_.insert(migration.id);
  if (migration.waits())
    queue_.insert(place_of(migration));
  if (is_under_way(migration))
    under_way_.insert(migration.id);
  migrations_by_vm_[migration.vm].insert(migration.id);
  render(entry);
  return true;
}

bool view_table::put_one(const operation_record& operation) {
  auto& entry = operations_[operation.id];
  if (entry.json && entry.record.revision >= operation.revision)
    return false;
  entry = {operation, share(operation_json(operation))};
  operations_by_vm_[operation.vm].insert(operation.id);
  return true;
}

bool view_table::put_one(const task_record& task) {
  auto [slot, fresh] = tasks_.try_emplace(task.id, task);
  if (!fresh && slot->second.revision >= task.revision)
    return false;
  slot->second = task;
  return true;
}

bool view_table::put_one(const node_record& node) {
  auto& entry = nodes_[node.id];
  if (entry.id == node.id && entry.revision >= node.revision)
    return false;
  entry = node;
  return true;
}

bool view_table::put_one(const join_token_record& token) {
  auto& entry = join_tokens_[token.id];
  if (entry.id == token.id && entry.revision >= token.revision)
    return false;
  entry = token;
  return true;
}

void view_table::erase(record_type type, uuid id) {
  switch (type) {
  case record_type::vm:
    if (auto at = vms_.find(vm_id{id}); at != vms_.end()) {
      unindex(at->second.record);
      vms_.erase(at);
    }
    return;
  case record_type::host:
    hosts_.erase(node_id{id});
    return;
  case record_type::migration:
    if (auto at = migrations_.find(migration_id{id}); at != migrations_.end()) {
      drop(migrations_by_vm_, at->second.record.vm, at->first);
      unindex(at->second.record);
      migrations_.erase(at);
    }
    return;
  case record_type::operation:
    if (auto at = operations_.find(operation_id{id}); at != operations_.end()) {
      drop(operations_by_vm_, at->second.record.vm, at->first);
      operations_.erase(at);
    }
    return;
  case record_type::task:
    tasks_.erase(task_id{id});
    return;
  case record_type::node:
    nodes_.erase(node_id{id});
    return;
  case record_type::join_token:
    join_tokens_.erase(token_id{id});
    return;
  }
}

void view_table::index(const vm_record& vm) {
  vms_by_state_[number_of(vm.actual)].insert(vm.id);
  vms_by_name_[vm.name].insert(vm.id);
  vms_by_host_[vm.host].insert(vm.id);
  if (!placed(vm))
    return;
  auto& used = usage_[vm.host];
  used.memory_mib += vm.spec.memory_mib;
  ++used.vms;
}

void view_table::unindex(const vm_record& vm) {
  vms_by_state_[number_of(vm.actual)].erase(vm.id);
  drop(vms_by_name_, vm.name, vm.id);
  drop(vms_by_host_, vm.host, vm.id);
  if (!placed(vm))
    return;
  auto& used = usage_[vm.host];
  used.memory_mib -= vm.spec.memory_mib;
  --used.vms;
  if (used == host_usage{})
    usage_.erase(vm.host);
}

void view_table::unindex(const migration_record& migration) {
  reserved_.erase(migration.id);
  queue_.erase(place_of(migration));
  under_way_.erase(migration.id);
}

std::string view_table::host_name(node_id id) const {
  auto at = hosts_.find(id);
  return at == hosts_.end() ? std::string{} : at->second.name;
}

std::string view_table::vm_name(vm_id id) const {
  auto at = vms_.find(id);
  return at == vms_.end() ? std::string{} : at->second.record.name;
}

shared_json view_table::json_of_task(const task_record& task) const {
  return share(task_json(
      task, [this](node_id id) { return host_name(id); },
      [this](vm_id id) { return vm_name(id); }));
}

host_usage view_table::usage(node_id id) const {
  auto at = usage_.find(id);
  auto used = at == usage_.end() ? host_usage{} : at->second;
  for (const auto& each : reserved_) {
    const auto& record = migrations_.at(each).record;
    auto vm = vms_.find(record.vm);
    if (record.to == id && vm != vms_.end())
      used.memory_mib += vm->second.record.spec.memory_mib;
  }
  return used;
}

void view_table::render(vm_entry& entry) const {
  entry.json = share(vm_json(entry.record, host_name(entry.record.host)));
}

void view_table::render(migration_entry& entry) const {
  entry.json
      = share(migration_json(entry.record, host_name(entry.record.from), host_name(entry.record.to),
                             entry.progress ? &*entry.progress : nullptr));
}

shared_json view_table::json_of(const any_record& record) const {
  if (auto* vm = std::get_if<vm_record>(&record)) {
    auto at = vms_.find(vm->id);
    return at == vms_.end() ? share(vm_json(*vm, host_name(vm->host))) : at->second.json;
  }
  if (auto* host = std::get_if<host_record>(&record))
    return share(host_json(*host, usage(host->id)));
  if (auto* migration = std::get_if<migration_record>(&record)) {
    auto at = migrations_.find(migration->id);
    return at == migrations_.end() ? share(migration_json(*migration, host_name(migration->from),
                                                          host_name(migration->to), nullptr))
                                   : at->second.json;
  }
  if (auto* task = std::get_if<task_record>(&record))
    return json_of_task(*task);
  if (auto* node = std::get_if<node_record>(&record))
    return share(node_json(*node));
  if (auto* token = std::get_if<join_token_record>(&record))
    return share(join_token_json(*token));
  return share(operation_json(std::get<operation_record>(record)));
}

void view_table::observe(observer fn) {
  std::lock_guard lock{observer_mutex_};
  observer_ = std::move(fn);
}

} // namespace novacron
