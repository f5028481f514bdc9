#include "storage/state/batch_applier.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

namespace {

/// Removals per batch beyond what the batch itself adds: the tables stay
/// bounded, and no batch takes long.
constexpr size_t most_removals = 64;

} // namespace

applied_batch cluster_state::apply(const command_batch& batch, uint64_t revision) {
  return batch_applier{*this, batch, revision}.run();
}

applied_batch batch_applier::run() {
  state_.revision_ = revision_;
  before_ = std::exchange(state_.now_, std::max(state_.now_, batch_.time));
  for (const auto& command : batch_.commands)
    done_.outcomes.push_back(run(command));
  restart_what_is_due(); // after them: a stop of the same batch wins
  advance_queue();
  advance_tasks();
  drop_expired_answers();
  drop_ended_records();
  emit_changes();
  return std::move(done_);
}

batch_applier::outcome batch_applier::run(const command& command) {
  const auto& asked = command.idempotency;
  if (!asked.key.empty()) {
    auto known = state_.answers_.find(answer_key(asked));
    if (known != state_.answers_.end() && known->second.expires > state_.now_) {
      if (known->second.asked.body_hash != asked.body_hash) {
        auto refused
            = refuse(command_errc::key_reused,
                     "the key \"" + asked.key + "\" was used for another call; choose a new key");
        refused.revision = revision_;
        return refused;
      }
      auto repeated = known->second.outcome;
      repeated.repeated = true;
      return repeated;
    }
  }
  auto waits = awaits_hosts(command.body);
  auto what
      = waits ? *waits : std::visit([this](const auto& body) { return apply(body); }, command.body);
  what.revision = revision_;
  if (what.ok() && !asked.key.empty())
    remember(command, what);
  return what;
}

batch_applier::outcome batch_applier::apply(const barrier&) {
  return {};
}

/// Whoever applies the entry says the hash; the state has no part in it.
batch_applier::outcome batch_applier::apply(const compare_states&) {
  return {};
}

batch_applier::outcome batch_applier::refuse(command_errc why, std::string detail) {
  outcome refused;
  refused.error = why;
  refused.detail = std::move(detail);
  return refused;
}

batch_applier::outcome batch_applier::accept(const vm_record& vm, operation_id operation) {
  outcome accepted;
  accepted.vm = vm.id;
  accepted.operation = operation;
  return accepted;
}

// -- answers -----------------------------------------------------------------------

void batch_applier::remember(const command& command, const outcome& what) {
  auto key = answer_key(command.idempotency);
  auto old = state_.answers_.find(key);
  if (old != state_.answers_.end())
    state_.answers_by_expiry_.erase({old->second.expires, key});
  stored_answer answer{command.idempotency, what, state_.now_ + state_.retention_.answers};
  state_.answers_by_expiry_.emplace(answer.expires, key);
  state_.answers_.insert_or_assign(key, answer);
  answered_.insert(key);
  done_.answers.push_back(std::move(answer));
}

void batch_applier::drop_expired_answers() {
  auto left = most_removals + done_.answers.size();
  auto& oldest = state_.answers_by_expiry_;
  while (!oldest.empty() && left-- > 0) {
    const auto [expires, key] = *oldest.begin();
    if (expires > state_.now_ && state_.answers_.size() <= state_.retention_.max_answers)
      break;
    oldest.erase(oldest.begin());
    state_.answers_.erase(key);
    if (answered_.contains(key))
      std::erase_if(done_.answers, [&](const auto& x) { return answer_key(x.asked) == key; });
    done_.expired_answers.push_back(key);
  }
}

// -- records that nothing happens to any more --------------------------------------

void batch_applier::drop_ended_records() {
  auto left = most_removals + touched_.size();
  const auto& kept = state_.retention_;
  auto drop = [&](auto& oldest, auto& records) {
    while (!oldest.empty() && left > 0) {
      const auto [since, id] = *oldest.begin();
      if (since + kept.ended > state_.now_ && oldest.size() <= kept.max_ended)
        break;
      remove(records.at(id));
      --left;
    }
  };
  drop(state_.ended_operations_, state_.operations_);
  drop(state_.over_migrations_, state_.migrations_);
  drop(state_.ended_tasks_, state_.tasks_);
  drop(state_.tombstones_, state_.vms_);
}

// -- changes -----------------------------------------------------------------------

void batch_applier::touch(record_type type, uuid id) {
  record_name name{type, id};
  removed_.erase(name);
  if (known_touched_.insert(name).second)
    touched_.push_back(name);
}

void batch_applier::emit_changes() {
  for (const auto& name : touched_) {
    change each;
    each.revision = revision_;
    if (auto removed = removed_.find(name); removed != removed_.end()) {
      each.record = removed->second;
      each.removed = true;
    } else {
      switch (name.first) {
      case record_type::vm:
        each.record = state_.vms_.at({name.second});
        break;
      case record_type::host:
        each.record = state_.hosts_.at({name.second});
        break;
      case record_type::migration:
        each.record = state_.migrations_.at({name.second});
        break;
      case record_type::operation:
        each.record = state_.operations_.at({name.second});
        break;
      case record_type::task:
        each.record = state_.tasks_.at({name.second});
        break;
      case record_type::node:
        each.record = state_.nodes_.at({name.second});
        break;
      case record_type::join_token:
        each.record = state_.join_tokens_.at({name.second});
        break;
      }
    }
    done_.audience.push_back(audience_of(each.record));
    done_.changes.push_back(std::move(each));
  }
  for (const auto& id : noted_)
    if (!known_touched_.contains({record_type::vm, id.value}))
      done_.noted.push_back(state_.vms_.at(id));
}

std::vector<node_id> batch_applier::audience_of(const any_record& record) const {
  std::set<node_id> hosts;
  if (auto vm = std::get_if<vm_record>(&record)) {
    if (auto before = concerned_before_.find(vm->id); before != concerned_before_.end())
      hosts = before->second;
    hosts.insert(vm->host);
    if (auto migration = state_.find(vm->migration))
      hosts.insert({migration->from, migration->to});
  } else if (auto migration = std::get_if<migration_record>(&record);
             migration && !migration->waits()) {
    hosts.insert({migration->from, migration->to});
  }
  return {hosts.begin(), hosts.end()};
}

void batch_applier::note_audience(const vm_record& vm) {
  auto& hosts = concerned_before_[vm.id];
  hosts.insert(vm.host);
  if (auto migration = state_.find(vm.migration))
    hosts.insert({migration->from, migration->to});
}

// -- writing -----------------------------------------------------------------------

void batch_applier::count(vm_id vm, int sign) {
  if (auto record = state_.find(vm))
    state_.count_claims(*record, sign);
}

void batch_applier::add(vm_record vm) {
  stamp(vm);
  auto id = vm.id;
  auto& record = state_.vms_.insert_or_assign(id, std::move(vm)).first->second;
  state_.index(record);
  state_.count_claims(record, 1);
  touch(record_type::vm, id.value);
}

void batch_applier::add(migration_record migration) {
  stamp(migration);
  auto id = migration.id;
  count(migration.vm, -1);
  auto& record = state_.migrations_.insert_or_assign(id, std::move(migration)).first->second;
  state_.index(record);
  count(record.vm, 1);
  touch(record_type::migration, id.value);
}

void batch_applier::add(operation_record operation) {
  stamp(operation);
  auto id = operation.id;
  state_.index(state_.operations_.insert_or_assign(id, std::move(operation)).first->second);
  touch(record_type::operation, id.value);
}

void batch_applier::add(host_record host) {
  stamp(host);
  auto id = host.id;
  state_.hosts_.insert_or_assign(id, std::move(host));
  touch(record_type::host, id.value);
}

void batch_applier::add(task_record task) {
  stamp(task);
  auto id = task.id;
  state_.index(state_.tasks_.insert_or_assign(id, std::move(task)).first->second);
  touch(record_type::task, id.value);
}

void batch_applier::add(node_record node) {
  stamp(node);
  auto id = node.id;
  state_.nodes_.insert_or_assign(id, std::move(node));
  touch(record_type::node, id.value);
}

void batch_applier::add(join_token_record token) {
  stamp(token);
  auto id = token.id;
  state_.join_tokens_.insert_or_assign(id, std::move(token));
  touch(record_type::join_token, id.value);
}

void batch_applier::add(lease_record lease) {
  state_.leases_.insert_or_assign(lease.host, lease);
  std::erase_if(done_.leases, [&](const auto& x) { return x.host == lease.host; });
  done_.leases.push_back(lease);
}

void batch_applier::remove(const vm_record& vm) {
  auto last = vm;
  note_audience(vm);
  state_.count_claims(vm, -1);
  state_.unindex(vm);
  state_.vms_.erase(last.id);
  touch(record_type::vm, last.id.value);
  last.revision = revision_;
  removed_.insert_or_assign({record_type::vm, last.id.value}, std::move(last));
}

void batch_applier::remove(const migration_record& migration) {
  auto last = migration;
  count(last.vm, -1);
  state_.unindex(migration);
  state_.migrations_.erase(last.id);
  count(last.vm, 1);
  touch(record_type::migration, last.id.value);
  last.revision = revision_;
  removed_.insert_or_assign({record_type::migration, last.id.value}, std::move(last));
}

void batch_applier::remove(const operation_record& operation) {
  auto last = operation;
  state_.unindex(operation);
  state_.operations_.erase(last.id);
  touch(record_type::operation, last.id.value);
  last.revision = revision_;
  removed_.insert_or_assign({record_type::operation, last.id.value}, std::move(last));
}

void batch_applier::remove(const task_record& task) {
  auto last = task;
  state_.unindex(task);
  state_.tasks_.erase(last.id);
  touch(record_type::task, last.id.value);
  last.revision = revision_;
  removed_.insert_or_assign({record_type::task, last.id.value}, std::move(last));
}

void batch_applier::remove(const join_token_record& token) {
  auto last = token;
  state_.join_tokens_.erase(last.id);
  touch(record_type::join_token, last.id.value);
  last.revision = revision_;
  removed_.insert_or_assign({record_type::join_token, last.id.value}, std::move(last));
}

} // namespace novacron
