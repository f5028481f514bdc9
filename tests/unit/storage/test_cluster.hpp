#pragma once

#include "storage/state/cluster_state.hpp"

#include <initializer_list>

namespace novacron {

/// Ids that a test can read: `test_id<vm_id>(7)`.
template <class Id>
constexpr Id test_id(uint64_t n) {
  return {{0x7e57, n}};
}

/// A state with two large hosts, node-1 and node-2, and short words for what a
/// test does to it. Each call is a batch of its own, one second after the last.
class test_cluster {
public:
  static constexpr auto node_1 = test_id<node_id>(1);
  static constexpr auto node_2 = test_id<node_id>(2);
  static constexpr auto boot = test_id<boot_id>(100);
  static constexpr auto vm = test_id<vm_id>(11);
  static constexpr auto move = test_id<migration_id>(21);

  explicit test_cluster(retention kept = {}) : state{kept} {
    run(register_host{host(node_1, "node-1")});
    run(register_host{host(node_2, "node-2")});
  }

  static host_record host(node_id id, const std::string& name) {
    host_record x;
    x.id = id;
    x.name = name;
    x.vcpus = 4;
    x.memory_mib = 4096;
    x.images = {"tick"};
    x.boot = boot;
    x.fences = true;
    return x;
  }

  /// Applies one batch; keeps what it did in `last`.
  const applied_batch& apply(std::vector<command> commands) {
    time += std::chrono::seconds{1};
    command_batch batch;
    batch.timeline = timeline;
    batch.cluster_version = version;
    batch.time = time;
    batch.commands = std::move(commands);
    last = state.apply(batch, ++index);
    return last;
  }

  command_outcome run(command_body body, idempotency asked = {}) {
    return apply({command{std::move(body), std::move(asked)}}).outcomes.at(0);
  }

  operation_id next_operation() { return test_id<operation_id>(1000 + ++operations_); }

  command_outcome create(vm_id id = vm, const std::string& name = "web-1", node_id on = node_1,
                         uint64_t memory_mib = 1024) {
    create_vm x;
    x.vm = id;
    x.name = name;
    x.spec.memory_mib = memory_mib;
    x.spec.image = "tick";
    x.spec.restart = policy;
    x.host = on;
    x.operation = next_operation();
    return run(x);
  }

  command_outcome request(requested_state what, vm_id id = vm) {
    return run(request_state{id, what, 0, next_operation()});
  }

  /// The host on which the VM is placed sees it so, in its current epoch.
  command_outcome see(actual_state what, const std::string& reason = {}, vm_id id = vm) {
    const auto& x = *state.find(id);
    return see_on(x.host, x.epoch, what, reason, id);
  }

  command_outcome see_on(node_id host, epoch of, actual_state what, const std::string& reason = {},
                         vm_id id = vm) {
    return run(host_report{host, boot, ++sequence, {{id, of, what, reason}}, {}});
  }

  command_outcome clean(node_id host, migration_cost cost = {}, migration_id id = move) {
    return run(host_report{host, boot, ++sequence, {}, {{id, true, cost}}});
  }

  /// The log goes on, `later` than the last batch, with an entry that changes nothing.
  void pass(std::chrono::milliseconds later) {
    time += later - std::chrono::seconds{1};
    run(barrier{});
  }

  /// The host's lease is over, after one more renewal. Its number.
  uint64_t lose(node_id host) {
    auto renewed = run(renew_lease{host, boot, std::chrono::seconds{10}});
    run(expire_lease{host, renewed.lease.renewal});
    return renewed.lease.renewal;
  }

  command_outcome renew(node_id host) {
    return run(renew_lease{host, boot, std::chrono::seconds{10}});
  }

  /// The VM runs on node-1.
  void started() {
    create();
    request(requested_state::running);
    see(actual_state::running);
  }

  command_outcome reserve(node_id to = node_2) {
    return run(reserve_migration{move, vm, to, 0, next_operation()});
  }

  command_outcome decide(migration_decision what, const std::string& reason = {}) {
    return run(decide_migration{move, state.find(move)->epoch, what, reason});
  }

  const vm_record& the_vm() const { return *state.find(vm); }
  const migration_record& the_move() const { return *state.find(move); }
  operation_state became(const command_outcome& of) const {
    return state.find(of.operation)->state;
  }
  std::string error_of(const command_outcome& of) const { return state.find(of.operation)->error; }

  cluster_state state;
  applied_batch last;
  uint64_t index = 0;
  uint64_t sequence = 0;
  uint32_t timeline = 3;
  uint32_t version = known_cluster_version;
  restart_policy policy = restart_policy::never; ///< of what is created
  log_time time{std::chrono::milliseconds{1'000'000}};

private:
  uint64_t operations_ = 0;
};

} // namespace novacron
