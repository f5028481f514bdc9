#include "actors/view/view_table.hpp"

#include <algorithm>
#include <mutex>

namespace novacron {

namespace {

constexpr size_t most_page_bytes = 4u << 20; ///< of JSON, unless its only item is larger

/// One page of the ids in `ids` (ordered; elements are ids or pairs of id and
/// entry) for which `json_of` returns something.
template <class Ids, class JsonOf>
view_page page_of(const Ids& ids, const page_query& query, JsonOf json_of) {
  using key = typename Ids::key_type;
  view_page page;
  auto at = query.after.nil() ? ids.begin() : ids.upper_bound(key{query.after});
  uuid last;
  size_t bytes = 0;
  for (; at != ids.end(); ++at) {
    auto id = [&] {
      if constexpr (requires { at->first; })
        return at->first;
      else
        return *at;
    }();
    auto json = json_of(id);
    if (!json)
      continue;
    bytes += json->size();
    if (page.items.size() == query.limit || (bytes > most_page_bytes && !page.items.empty())) {
      page.next = last;
      break;
    }
    page.items.push_back(std::move(json));
    last = id.value;
  }
  return page;
}

template <class Shelf, class Id>
std::optional<view_document> document(const Shelf& shelf, const Id& id) {
  auto at = shelf.find(id);
  if (at == shelf.end())
    return std::nullopt;
  return view_document{at->second.json, at->second.record.revision};
}

/// Migrations or operations, of one VM or of all.
template <class Shelf, class ByVm, class JsonOf>
view_page history(const Shelf& shelf, const ByVm& by_vm, const history_query& query,
                  JsonOf json_of) {
  if (!query.vm)
    return page_of(shelf, query.page, json_of);
  auto at = by_vm.find(*query.vm);
  return at == by_vm.end() ? view_page{} : page_of(at->second, query.page, json_of);
}

} // namespace

bool view_table::complete() const {
  std::shared_lock lock{mutex_};
  return complete_;
}

uint64_t view_table::revision() const {
  std::shared_lock lock{mutex_};
  return revision_;
}

std::optional<view_document> view_table::vm(vm_id id) const {
  std::shared_lock lock{mutex_};
  return document(vms_, id);
}

std::optional<view_document> view_table::migration(migration_id id) const {
  std::shared_lock lock{mutex_};
  auto found = document(migrations_, id);
  if (found && migrations_.at(id).record.waits())
    found->json = queued_json(migrations_.at(id).record, queue_prospects());
  return found;
}

std::optional<epoch> view_table::epoch_of(migration_id id) const {
  std::shared_lock lock{mutex_};
  auto at = migrations_.find(id);
  return at == migrations_.end() ? std::nullopt : std::optional{at->second.record.epoch};
}

std::map<migration_id, queue_prospect> view_table::queue_prospects() const {
  std::vector<const migration_record*> waiting;
  std::vector<const migration_record*> under_way;
  for (const auto& each : queue_)
    waiting.push_back(&migrations_.at(each.id).record);
  for (const auto& id : under_way_)
    under_way.push_back(&migrations_.at(id).record);
  return prospects(waiting, under_way, durations_.mean(), [this](node_id id) {
    auto at = hosts_.find(id);
    return at == hosts_.end() ? nullptr : &at->second;
  });
}

shared_json view_table::queued_json(const migration_record& record,
                                    const std::map<migration_id, queue_prospect>& known) const {
  return std::make_shared<const std::string>(migration_json(
      record, host_name(record.from), host_name(record.to), nullptr, &known.at(record.id)));
}

std::optional<view_document> view_table::operation(operation_id id) const {
  std::shared_lock lock{mutex_};
  return document(operations_, id);
}

std::optional<view_document> view_table::host(node_id id) const {
  std::shared_lock lock{mutex_};
  auto at = hosts_.find(id);
  if (at == hosts_.end())
    return std::nullopt;
  return view_document{std::make_shared<const std::string>(host_json(at->second, usage(id))),
                       at->second.revision};
}

view_page view_table::vms(const vm_query& query) const {
  std::shared_lock lock{mutex_};
  auto json_of = [&](const vm_id& id) -> shared_json {
    const auto& [vm, json] = vms_.at(id);
    bool state_fits = query.state ? vm.actual == *query.state : vm.actual != actual_state::gone;
    return state_fits && (!query.host || vm.host == *query.host) ? json : nullptr;
  };
  auto from_index = [&](const auto& index, const auto& key) {
    auto at = index.find(key);
    return at == index.end() ? view_page{} : page_of(at->second, query.page, json_of);
  };
  // The narrowest index leads, the name's before all; `json_of` checks the rest.
  view_page page;
  if (query.name)
    page = from_index(vms_by_name_, *query.name);
  else if (query.host)
    page = from_index(vms_by_host_, *query.host);
  else if (query.state)
    page = page_of(vms_by_state_[static_cast<size_t>(*query.state)], query.page, json_of);
  else
    page = page_of(vms_, query.page, json_of);
  page.revision = revision_;
  return page;
}

view_page view_table::hosts(const page_query& query) const {
  std::shared_lock lock{mutex_};
  auto page = page_of(hosts_, query, [this](const node_id& id) {
    return std::make_shared<const std::string>(host_json(hosts_.at(id), usage(id)));
  });
  page.revision = revision_;
  return page;
}

view_page view_table::migrations(const history_query& query) const {
  std::shared_lock lock{mutex_};
  std::optional<std::map<migration_id, queue_prospect>> known; // if any of them waits
  auto page = history(migrations_, migrations_by_vm_, query, [&](const migration_id& id) {
    const auto& entry = migrations_.at(id);
    if (!entry.record.waits())
      return entry.json;
    if (!known)
      known = queue_prospects();
    return queued_json(entry.record, *known);
  });
  page.revision = revision_;
  return page;
}

view_page view_table::operations(const history_query& query) const {
  std::shared_lock lock{mutex_};
  auto page = history(operations_, operations_by_vm_, query,
                      [this](const operation_id& id) { return operations_.at(id).json; });
  page.revision = revision_;
  return page;
}

std::optional<view_document> view_table::task(task_id id) const {
  std::shared_lock lock{mutex_};
  auto at = tasks_.find(id);
  if (at == tasks_.end())
    return std::nullopt;
  return view_document{json_of_task(at->second), at->second.revision};
}

view_page view_table::tasks(const page_query& query) const {
  std::shared_lock lock{mutex_};
  auto page = page_of(tasks_, query, [this](task_id id) { return json_of_task(tasks_.at(id)); });
  page.revision = revision_;
  return page;
}

placement_state view_table::placement() const {
  std::shared_lock lock{mutex_};
  placement_state state;
  for (const auto& [id, host] : hosts_)
    state.put(host);
  for (const auto& [id, vm] : vms_)
    if (vm.record.actual != actual_state::gone)
      state.put(vm.record);
  for (const auto& [id, migration] : migrations_)
    if (!migration.record.over())
      state.put(migration.record);
  return state;
}

task_id view_table::drain_of(node_id host) const {
  std::shared_lock lock{mutex_};
  auto at = hosts_.find(host);
  return at == hosts_.end() ? task_id{} : at->second.drain;
}

std::optional<node_id> view_table::node_named(std::string_view name) const {
  {
    std::shared_lock lock{mutex_};
    for (const auto& [id, node] : nodes_)
      if (node.name == name && node.wish != member_wish::removed)
        return id;
  }
  return host_named(name); // a host that has never said more of itself
}

std::optional<node_id> view_table::host_named(std::string_view name) const {
  std::shared_lock lock{mutex_};
  std::optional<node_id> found;
  for (const auto& [id, host] : hosts_)
    if (host.name == name && (!found || host.state != host_state::gone))
      found = id;
  return found;
}

std::vector<std::pair<node_id, std::string>> view_table::host_names() const {
  std::shared_lock lock{mutex_};
  std::vector<std::pair<node_id, std::string>> out;
  for (const auto& [id, host] : hosts_)
    if (host.state != host_state::gone)
      out.emplace_back(id, host.name);
  return out;
}

std::array<uint64_t, 9> view_table::vms_by_state() const {
  std::shared_lock lock{mutex_};
  std::array<uint64_t, 9> counts{};
  std::ranges::transform(vms_by_state_, counts.begin(), [](const auto& ids) { return ids.size(); });
  return counts;
}

std::optional<uint64_t> view_table::event_position(uint64_t revision) const {
  std::shared_lock lock{mutex_};
  return events_.position_after(revision);
}

uint64_t view_table::event_end() const {
  std::shared_lock lock{mutex_};
  return events_.end();
}

std::optional<event_ring::slice> view_table::events(uint64_t position, size_t limit) const {
  std::shared_lock lock{mutex_};
  return events_.read(position, limit);
}

void view_table::when_revision(uint64_t revision, clock::time_point deadline,
                               view_waiters::function fn) {
  waiters_.when_revision(revision, deadline, std::move(fn));
}

void view_table::when_operation_ends(operation_id id, clock::time_point deadline,
                                     view_waiters::function fn) {
  auto ticket = waiters_.when_operation(id, deadline, std::move(fn));
  if (ticket == 0)
    return;
  // Looked at only now, so that an end in between isn't missed.
  bool over = false;
  {
    std::shared_lock lock{mutex_};
    auto at = operations_.find(id);
    over = at != operations_.end() && at->second.record.state != operation_state::running;
  }
  if (over)
    waiters_.release(ticket);
}

std::string view_table::name_of_node(node_id id) const {
  std::shared_lock lock{mutex_};
  auto at = nodes_.find(id);
  return at == nodes_.end() ? host_name(id) : at->second.name;
}

std::vector<node_record> view_table::nodes() const {
  std::shared_lock lock{mutex_};
  std::vector<node_record> all;
  for (const auto& [id, node] : nodes_)
    all.push_back(node);
  return all;
}

std::vector<host_record> view_table::host_records() const {
  std::shared_lock lock{mutex_};
  std::vector<host_record> all;
  for (const auto& [id, host] : hosts_)
    all.push_back(host);
  return all;
}

std::optional<join_token_record> view_table::join_token(token_id id) const {
  std::shared_lock lock{mutex_};
  auto at = join_tokens_.find(id);
  return at == join_tokens_.end() ? std::nullopt : std::optional{at->second};
}

} // namespace novacron
