#pragma once

#include "messages/codec.hpp"
#include "messages/names.hpp"

#include <random>
#include <tuple>

namespace novacron {

/// All types of the concept `carried`, to say something of each.
using all_carried
    = std::tuple<command, command_batch, command_outcome, lease_record, stored_record,
                 stored_answer, change, feed_listing, feed_changes, feed_filter, migration_progress,
                 proposal, outcomes, list_request, pull_request, hello_challenge_request,
                 hello_challenge, hello, welcome, prepare_migration, migration_prepared,
                 migration_performed, kill_actor, replica_message, replica_message_taken,
                 snapshot_chunk_request, snapshot_chunk, group_status_request, group_status,
                 actor_tree_request, actor_tree>;

/// Calls `f` with a default value of each carried type.
template <class F>
void for_each_carried(F f) {
  std::apply([&](auto... x) { (f(x), ...); }, all_carried{});
}

/// Makes arbitrary messages: any value that the types allow, with a liking for
/// the corners (nil ids, empty and long texts, zeros inside texts, the largest
/// numbers). Equal seeds make equal messages.
class random_messages {
public:
  explicit random_messages(uint64_t seed) : engine_{seed} {
    // nop
  }

  template <class T>
  T make() {
    T x;
    fill(x);
    return x;
  }

  /// 0 ≤ the answer ≤ `most`.
  uint64_t up_to(uint64_t most) { return engine_() % (most + 1); }

  // -- leaves ----------------------------------------------------------------------

  void fill(bool& x) { x = up_to(1) == 1; }
  void fill(uint32_t& x) { x = static_cast<uint32_t>(number()); }
  void fill(uint64_t& x) { x = number(); }

  void fill(std::byte& x) { x = static_cast<std::byte>(up_to(255)); }

  void fill(std::string& x) {
    x.resize(length());
    for (auto& c : x)
      c = static_cast<char>(up_to(255));
  }

  template <size_t N>
  void fill(std::array<std::byte, N>& x) {
    for (auto& b : x)
      fill(b);
  }

  template <class Enum>
  requires std::is_enum_v<Enum>
  void fill(Enum& x) {
    x = static_cast<Enum>(names<Enum>::first + up_to(names<Enum>::words.size() - 1));
  }

  void fill(std::chrono::milliseconds& x) {
    x = std::chrono::milliseconds{static_cast<int64_t>(up_to(4'000'000'000'000))};
  }

  void fill(log_time& x) {
    std::chrono::milliseconds since_1970{};
    fill(since_1970);
    x = log_time{since_1970};
  }

  template <class Kind>
  void fill(id<Kind>& x) {
    if (up_to(3) != 0)
      x.value = {engine_(), engine_()};
  }

  void fill(epoch& x) { fill_all(x.timeline, x.number); }

  template <class T>
  void fill(std::vector<T>& x) {
    x.resize(up_to(4));
    for (auto& element : x)
      fill(element);
  }

  void fill(std::map<std::string, std::string>& x) {
    for (auto n = up_to(4); n > 0; --n)
      x[make<std::string>()] = make<std::string>();
  }

  template <class... Ts>
  void fill(std::variant<Ts...>& x) {
    auto chosen = up_to(sizeof...(Ts) - 1);
    size_t i = 0;
    ((i++ == chosen ? fill(x.template emplace<Ts>()) : void()), ...);
  }

  // -- records ---------------------------------------------------------------------

  void fill(vm_spec& x) {
    fill_all(x.vcpus, x.memory_mib, x.image, x.kernel_arguments, x.restart);
    fill(x.labels);
    fill(x.placement);
    fill(x.networks);
  }
  void fill(placement_rules& x) {
    fill_all(x.groups, x.required_labels, x.preferred_labels, x.required_affinity,
             x.preferred_affinity, x.required_anti_affinity, x.preferred_anti_affinity);
  }
  void fill(vm_record& x) {
    fill_all(x.id, x.name, x.spec, x.requested, x.host, x.epoch, x.actual, x.reason, x.seen_epoch,
             x.seen_boot, x.seen_sequence, x.migration, x.operation, x.created, x.changed,
             x.revision, x.restarts, x.fenced);
  }
  void fill(restart_record& x) { fill_all(x.count, x.ends, x.due, x.running_since); }
  void fill(host_record& x) {
    fill_all(x.id, x.name, x.mesh_address, x.page_address, x.vcpus, x.memory_mib, x.images,
             x.hypervisor, x.accelerator, x.live_migration_problem, x.boot, x.state, x.changed,
             x.revision, x.fences, x.lost_lease, x.labels, x.memory_overcommit_percent,
             x.vcpu_overcommit_percent, x.cpu_features, x.maintenance, x.drain, x.awaited,
             x.migrations_at_once, x.migrations_between_sites, x.networks);
  }
  void fill(lease_record& x) { fill_all(x.host, x.boot, x.renewal, x.term, x.granted, x.expired); }
  void fill(migration_cost& x) {
    fill_all(x.duration, x.guest_bytes, x.wire_bytes, x.rounds, x.chain_ok, x.work.zero_pages,
             x.work.whole_pages, x.work.same_pages, x.work.changed_pages, x.work.packed_bytes,
             x.work.reconnects);
    for (auto& each : x.work.raw_bytes)
      fill(each);
  }
  void fill(migration_terms& x) {
    fill_all(x.intent, x.longest_pause, x.time_limit, x.priority, x.tries);
  }
  void fill(migration_record& x) {
    fill_all(x.id, x.vm, x.from, x.to, x.epoch, x.phase, x.reason, x.source_clean,
             x.destination_clean, x.cost, x.operation, x.created, x.decided, x.ended, x.revision,
             x.terms, x.begun, x.timeline, x.attempt, x.not_before, x.may_pass);
  }
  void fill(operation_record& x) {
    fill_all(x.id, x.verb, x.vm, x.migration, x.state, x.error, x.created, x.ended, x.revision);
  }
  void fill(task_move& x) {
    fill_all(x.vm, x.state, x.to, x.migration, x.attempts, x.stopped, x.reason);
  }
  void fill(task_record& x) {
    fill_all(x.id, x.kind, x.host, x.state, x.parallel, x.deadline, x.then, x.moves, x.created,
             x.ended, x.revision);
  }
  void fill(node_record& x) {
    fill_all(x.id, x.name, x.roles, x.mesh_address, x.disk, x.wish, x.replaces, x.changed,
             x.revision);
  }
  void fill(join_token_record& x) {
    fill_all(x.id, x.key, x.roles, x.created, x.expires, x.used_by, x.revision);
  }
  void fill(stored_record& x) { fill(x.record); }

  // -- commands --------------------------------------------------------------------

  void fill(idempotency& x) { fill_all(x.principal, x.key, x.body_hash); }
  void fill(create_vm& x) { fill_all(x.vm, x.name, x.spec, x.host, x.operation); }
  void fill(request_state& x) { fill_all(x.vm, x.requested, x.if_revision, x.operation); }
  void fill(reserve_migration& x) {
    fill_all(x.migration, x.vm, x.to, x.if_revision, x.operation, x.terms);
  }
  void fill(decide_migration& x) {
    fill_all(x.migration, x.epoch, x.decision, x.reason, x.may_pass);
  }
  void fill(vm_observation& x) { fill_all(x.vm, x.epoch, x.actual, x.reason); }
  void fill(migration_observation& x) { fill_all(x.migration, x.clean, x.cost); }
  void fill(host_report& x) { fill_all(x.host, x.boot, x.sequence, x.vms, x.migrations); }
  void fill(register_host& x) { fill(x.host); }
  void fill(renew_lease& x) { fill_all(x.host, x.boot, x.term); }
  void fill(confirm_inventory& x) { fill_all(x.host, x.boot); }
  void fill(expire_lease& x) { fill_all(x.host, x.renewal); }
  void fill(compare_states&) {
    // nop
  }
  void fill(barrier&) {
    // nop
  }
  void fill(replace_vm& x) { fill_all(x.vm, x.epoch, x.lease, x.to, x.problem); }
  void fill(fence_host& x) { fill_all(x.host, x.task); }
  void fill(maintain_host& x) { fill_all(x.host, x.wish, x.task, x.parallel, x.deadline, x.then); }
  void fill(planned_move& x) { fill_all(x.vm, x.to); }
  void fill(start_rebalance& x) { fill_all(x.task, x.parallel, x.moves); }
  void fill(move_vm& x) { fill_all(x.task, x.vm, x.attempt, x.to, x.migration); }
  void fill(note_move& x) { fill_all(x.task, x.vm, x.attempt, x.reason); }
  void fill(cancel_task& x) { fill(x.task); }
  void fill(register_node& x) { fill(x.node); }
  void fill(wish_member& x) { fill_all(x.node, x.wish, x.replaces); }
  void fill(make_join_token& x) { fill_all(x.token, x.key, x.roles, x.life); }
  void fill(use_join_token& x) { fill_all(x.token, x.node); }
  void fill(recover_cluster& x) { fill(x.survivor); }
  void fill(command& x) { fill_all(x.body, x.idempotency); }
  void fill(command_batch& x) {
    fill_all(x.group, x.timeline, x.cluster_version, x.time, x.commands);
  }
  void fill(command_outcome& x) {
    fill_all(x.error, x.detail, x.revision, x.repeated, x.vm, x.operation, x.migration, x.phase,
             x.lease, x.task);
  }
  void fill(stored_answer& x) { fill_all(x.asked, x.outcome, x.expires); }

  // -- the feed --------------------------------------------------------------------

  void fill(change& x) { fill_all(x.revision, x.record, x.removed); }
  void fill(migration_progress& x) {
    fill_all(x.migration, x.vm, x.phase, x.round, x.remaining_bytes, x.guest_bytes, x.wire_bytes,
             x.bytes_per_second);
  }
  void fill(feed_filter& x) { fill(x.host); }
  void fill(feed_listing& x) { fill_all(x.revision, x.records, x.next); }
  void fill(feed_changes& x) { fill_all(x.revision, x.too_old, x.changes, x.progress); }

  // -- between nodes ---------------------------------------------------------------

  void fill(hello_challenge_request& x) { fill(x.challenge); }
  void fill(hello_challenge& x) { fill_all(x.challenge, x.certificate, x.signature); }
  void fill(hello& x) {
    fill_all(x.node, x.name, x.cluster, x.timeline, x.version, x.certificate, x.signature);
  }
  void fill(welcome& x) { fill_all(x.node, x.name, x.timeline, x.version); }
  void fill(proposal& x) { fill(x.commands); }
  void fill(outcomes& x) { fill(x.each); }
  void fill(list_request& x) { fill_all(x.filter, x.from, x.limit_bytes, x.linearizable, x.only); }
  void fill(pull_request& x) { fill_all(x.after, x.filter, x.limit_bytes, x.wait); }
  void fill(prepare_migration& x) { fill_all(x.migration, x.vm, x.epoch, x.domain_xml, x.cookie); }
  void fill(migration_prepared& x) { fill_all(x.migration, x.cookie, x.page_address, x.token); }
  void fill(migration_performed& x) { fill_all(x.migration, x.cookie); }
  void fill(kill_actor& x) { fill_all(x.node, x.path); }
  void fill(replica_message& x) { fill_all(x.number, x.bytes); }
  void fill(replica_message_taken& x) { fill(x.number); }
  void fill(snapshot_chunk_request& x) { fill_all(x.reference, x.from, x.limit_bytes); }
  void fill(snapshot_chunk& x) { fill_all(x.records, x.next, x.hash, x.plane); }
  void fill(group_status_request& x) { fill(x.linearizable); }
  void fill(group_member& x) {
    fill_all(x.node, x.voter, x.online, x.stored_index, x.knows, x.compared_index);
  }
  void fill(group_status& x) {
    fill_all(x.node, x.leads, x.term, x.commit_index, x.applied_index, x.timeline, x.members,
             x.installing, x.refused, x.disk, x.changing, x.cluster_version);
  }
  void fill(actor_status& x) {
    fill_all(x.path, x.supervisor, x.state, x.restarts, x.up, x.last_failure);
    if (up_to(1) == 1)
      x.mailbox = number();
  }
  void fill(actor_group& x) { fill_all(x.path, x.kind, x.count, x.running, x.restarts, x.mailbox); }
  void fill(linked_node& x) { fill_all(x.node, x.name, x.controller); }
  void fill(actor_tree_request& x) { fill_all(x.node, x.path, x.after, x.children); }
  void fill(actor_tree& x) { fill_all(x.node, x.name, x.actors, x.more, x.next, x.links); }

private:
  template <class... Ts>
  void fill_all(Ts&... xs) {
    (fill(xs), ...);
  }

  uint64_t number() {
    switch (up_to(3)) {
    case 0:
      return up_to(2);
    case 1:
      return ~uint64_t{0} - up_to(2);
    default:
      return engine_();
    }
  }

  size_t length() {
    switch (up_to(7)) {
    case 0:
      return 0;
    case 1:
      return up_to(500);
    default:
      return up_to(20);
    }
  }

  std::mt19937_64 engine_;
};

} // namespace novacron
