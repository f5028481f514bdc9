#pragma once

#include "storage/state/cluster_state.hpp"

#include <array>
#include <random>

namespace novacron {

/// Makes batches of commands that mostly make sense for the state at hand, and
/// sometimes don't. Equal seeds and states make equal batches.
class random_commands {
public:
  /// Every other seed also maintains hosts, which leaves fewer to go to.
  explicit random_commands(uint64_t seed) : engine_{seed}, maintains_{seed % 2 == 0} {
    // nop
  }

  static constexpr uint64_t hosts = 3;
  static constexpr uint64_t vms = 12;

  uint64_t below(uint64_t end) { return engine_() % end; }

  command_batch batch(const cluster_state& state) {
    command_batch x;
    x.timeline = 1;
    x.cluster_version = known_cluster_version;
    // The clocks of proposers differ; sometimes days pass.
    time_ += std::chrono::milliseconds{static_cast<int64_t>(below(2000)) - 500};
    if (below(40) == 0)
      time_ += std::chrono::hours{10};
    x.time = time_;
    for (auto n = 1 + below(4); n > 0; --n)
      x.commands.push_back(command_for(state));
    return x;
  }

private:
  node_id host() { return {{1, 1 + below(hosts + (below(20) == 0))}}; }
  vm_id vm() { return {{2, generation_ * vms + below(vms)}}; }

  template <class Id>
  Id fresh() {
    return {{3, ++fresh_}};
  }

  migration_id migration(const cluster_state& state) {
    std::vector<migration_id> all;
    for (const auto& each : state.records())
      if (auto x = std::get_if<migration_record>(&each); x && (!x->over() || below(10) == 0))
        all.push_back(x->id);
    return all.empty() ? migration_id{} : all[below(all.size())];
  }

  command command_for(const cluster_state& state) {
    command x;
    x.body = body(state);
    if (below(4) == 0) {
      x.idempotency.principal = "ann";
      x.idempotency.key = std::to_string(below(50));
      x.idempotency.body_hash[0] = static_cast<std::byte>(below(2));
    }
    return x;
  }

  command_body body(const cluster_state& state) {
    if (below(500) == 0)
      ++generation_;
    if (maintains_ && below(6) == 0)
      return maintenance(state);
    if (below(40) == 0)
      return about_nodes();
    switch (below(17)) {
    case 0: {
      host_record h;
      auto n = 1 + below(hosts);
      h.id = {{1, n}};
      h.name = "node-" + std::to_string(n);
      h.vcpus = 2;
      h.memory_mib = 1000;
      h.images = {"tick"};
      h.boot = {{4, 1u + (below(10) == 0)}};
      h.fences = below(4) != 0;
      if (below(10) == 0)
        h.live_migration_problem = "no";
      return register_host{h};
    }
    case 1:
    case 2: {
      create_vm x;
      x.vm = vm();
      x.name = "vm-" + std::to_string(below(vms));
      x.spec.vcpus = 1 + static_cast<uint32_t>(below(4));
      x.spec.memory_mib = 50 + below(300);
      x.spec.image = "tick";
      x.spec.restart = static_cast<restart_policy>(below(3));
      x.host = host();
      x.operation = fresh<operation_id>();
      return x;
    }
    case 3:
    case 4:
      return request_state{vm(), static_cast<requested_state>(below(4)), 0, fresh<operation_id>()};
    case 5:
    case 6:
      return request_state{vm(), requested_state::running, 0, fresh<operation_id>()};
    case 7:
    case 8:
      return reserve_migration{fresh<migration_id>(), vm(),        host(), 0,
                               fresh<operation_id>(), some_terms()};
    case 9:
    case 10: {
      decide_migration x;
      x.migration = migration(state);
      if (auto known = state.find(x.migration))
        x.epoch = known->epoch;
      x.decision = static_cast<migration_decision>(below(3));
      x.reason = "because";
      x.may_pass = below(2) == 0;
      return x;
    }
    case 11:
    case 12: {
      const auto whom = host();
      auto known = state.find(whom);
      if (below(16) != 0)
        return renew_lease{whom, known && below(8) != 0 ? known->boot : boot_id{{4, 1}},
                           std::chrono::seconds{5}};
      expire_lease x{whom, 1 + below(3)};
      for (const auto& lease : state.leases())
        if (lease.host == x.host && below(4) != 0)
          x.renewal = lease.renewal;
      return x;
    }
    case 13:
      return below(6) == 0 ? command_body{fence_host{host(), fresh<task_id>()}}
                           : replacement(state);
    default:
      return report(state);
    }
  }

  migration_terms some_terms() {
    migration_terms terms;
    terms.tries = 1 + static_cast<uint32_t>(below(3));
    return terms;
  }

  command_body replacement(const cluster_state& state) {
    replace_vm x;
    x.vm = vm();
    for (const auto& each : state.records())
      if (auto known = std::get_if<vm_record>(&each);
          known && known->actual == actual_state::lost && below(3) != 0)
        x.vm = known->id;
    if (auto known = state.find(x.vm)) {
      x.epoch = known->epoch;
      if (auto from = state.find(known->host))
        x.lease = from->lost_lease - (below(10) == 0);
    }
    if (below(5) != 0)
      x.to = host();
    else
      x.problem = "no room";
    return x;
  }

  /// Hosts cordoned and drained, and the orders of tasks, mostly right ones.
  command_body maintenance(const cluster_state& state) {
    std::vector<task_record> all;
    for (const auto& each : state.records())
      if (auto task = std::get_if<task_record>(&each))
        all.push_back(*task);
    if (all.empty() || below(4) == 0) {
      maintain_host x;
      x.host = host();
      // Mostly back: else there is soon no host left to go to.
      x.wish = static_cast<maintenance_wish>(std::array{0, 1, 1, 1, 1, 1, 2, 3}[below(8)]);
      x.task = fresh<task_id>();
      x.parallel = static_cast<uint32_t>(below(3));
      x.deadline = std::chrono::seconds{below(2) * below(20)};
      x.then = static_cast<deadline_policy>(below(2));
      return x;
    }
    const auto& task = all[below(all.size())];
    if (below(10) == 0)
      return cancel_task{task.id};
    if (below(10) == 0)
      return start_rebalance{fresh<task_id>(), 1, {{vm(), host()}, {vm(), host()}}};
    move_vm order{task.id, vm(), 0, host(), fresh<migration_id>()};
    if (!task.moves.empty() && below(10) != 0) {
      const auto& move = task.moves[below(task.moves.size())];
      order.vm = move.vm;
      order.attempt = move.attempts;
    }
    if (below(6) == 0)
      return note_move{task.id, order.vm, order.attempt, "why not " + std::to_string(below(3))};
    return order;
  }

  command_body about_nodes() {
    switch (below(3)) {
    case 0: {
      node_record n;
      n.id = host();
      n.name = "node-" + std::to_string(below(hosts + 1));
      n.roles = {node_role::controller};
      n.disk = below(3);
      return register_node{n};
    }
    case 1:
      return wish_member{host(), static_cast<member_wish>(below(4)),
                         below(4) == 0 ? host() : node_id{}};
    default: {
      const token_id token{{5, below(20)}};
      if (below(2) == 0)
        return make_join_token{token, {}, {node_role::host}, std::chrono::hours{below(30)}};
      node_record n;
      n.id = fresh<node_id>();
      n.name = "new-" + std::to_string(below(5));
      return use_join_token{token, n};
    }
    }
  }

  host_report report(const cluster_state& state) {
    host_report x;
    x.host = host();
    if (auto known = state.find(x.host))
      x.boot = known->boot;
    sequence_ += 1;
    x.sequence = sequence_ - below(3);
    for (auto n = below(6); n > 0; --n) {
      auto id = vm();
      auto known = state.find(id);
      if (!known)
        continue;
      if (below(3) != 0)
        x.host = known->host;
      vm_observation seen{id, known->epoch, static_cast<actual_state>(below(9)), ""};
      if (known->requested == requested_state::running && below(3) != 0)
        seen.actual = below(4) == 0 ? actual_state::failed : actual_state::running;
      x.vms.push_back(seen);
    }
    for (auto n = below(3); n > 0; --n) {
      migration_observation seen{migration(state), below(4) != 0, {}};
      auto known = state.find(seen.migration);
      if (!known)
        continue;
      x.host = below(2) == 0 ? known->from : known->to;
      seen.cost.guest_bytes = below(3);
      x.migrations.push_back(seen);
    }
    return x;
  }

  std::mt19937_64 engine_;
  bool maintains_;
  log_time time_{std::chrono::hours{24 * 365}};
  uint64_t fresh_ = 0;
  uint64_t sequence_ = 10;
  uint64_t generation_ = 0;
};

} // namespace novacron
