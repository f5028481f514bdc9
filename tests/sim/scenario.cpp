#include "scenario.hpp"

#include <set>
#include <stdexcept>
#include <toml++/toml.h>

namespace novacron::sim {

namespace {

/// Reads values, and then says which were not asked for: a misspelt rate must
/// not be a fault that never happens.
class reader {
public:
  explicit reader(const std::filesystem::path& file) : file_{file.string()} {
    try {
      root_ = toml::parse_file(file_);
    } catch (const toml::parse_error& why) {
      throw std::runtime_error{file_ + ": " + std::string{why.description()}};
    }
  }

  template <class T>
  void get(const char* table, const char* key, T& into) {
    std::string name{table};
    name += '.';
    name += key;
    known_.insert(std::move(name));
    const auto node = root_[table][key];
    if (!node)
      return;
    if (auto value = node.value<T>())
      into = *value;
    else
      throw std::runtime_error{file_ + ": " + table + "." + key + " has the wrong type"};
  }

  void number(const char* table, const char* key, uint64_t& into) {
    auto value = static_cast<int64_t>(into);
    get(table, key, value);
    if (value < 0)
      throw std::runtime_error{file_ + ": " + table + "." + key + " is negative"};
    into = static_cast<uint64_t>(value);
  }

  void finish() const {
    for (auto&& [table, values] : root_) {
      if (!values.is_table())
        throw std::runtime_error{file_ + ": " + std::string{table.str()} + " belongs in a table"};
      for (auto&& [key, value] : *values.as_table())
        if (auto name = std::string{table.str()} + "." + std::string{key.str()};
            !known_.contains(name))
          throw std::runtime_error{file_ + ": nobody knows " + name};
    }
  }

private:
  std::string file_;
  toml::table root_;
  std::set<std::string> known_;
};

} // namespace

namespace {

void read_fleet(reader& from, fleet_settings& x) {
  from.number("hosts", "count", x.hosts);
  from.number("hosts", "lease_term_ms", x.lease_term_ms);
  from.number("hosts", "renew_every_ms", x.renew_every_ms);
  from.number("hosts", "drift_ppm", x.drift_ppm);
  from.number("hosts", "clock_jump_every_ms", x.clock_jump_every_ms);
  from.number("hosts", "clock_jump_max_ms", x.clock_jump_max_ms);
  from.number("hosts", "agent_crash_every_ms", x.agent_crash_every_ms);
  from.number("hosts", "agent_down_max_ms", x.agent_down_max_ms);
  from.number("hosts", "freeze_every_ms", x.freeze_every_ms);
  from.number("hosts", "freeze_max_ms", x.freeze_max_ms);
  from.number("hosts", "power_loss_every_ms", x.power_loss_every_ms);
  from.number("hosts", "power_down_max_ms", x.power_down_max_ms);
  from.number("hosts", "cut_every_ms", x.cut_every_ms);
  from.number("hosts", "cut_max_ms", x.cut_max_ms);
  from.number("hosts", "fencer_kill_every_ms", x.fencer_kill_every_ms);
  from.number("hosts", "actor_kill_every_ms", x.actor_kill_every_ms);
  auto& driver = x.hypervisor;
  from.number("hypervisor", "latency_min_ms", driver.latency_min_ms);
  from.number("hypervisor", "latency_max_ms", driver.latency_max_ms);
  from.number("hypervisor", "refuse_permille", driver.refuse_permille);
  from.number("hypervisor", "lose_answer_permille", driver.lose_answer_permille);
  from.number("hypervisor", "late_permille", driver.late_permille);
  from.number("hypervisor", "late_max_ms", driver.late_max_ms);
  from.number("hypervisor", "die_in_call_permille", driver.die_in_call_permille);
  from.number("hypervisor", "death_every_ms", x.daemon_death_every_ms);
  from.number("hypervisor", "hang_every_ms", x.daemon_hang_every_ms);
  from.number("hypervisor", "guest_end_every_ms", x.guest_end_every_ms);
  from.number("migrations", "perform_max_ms", x.perform_max_ms);
  from.number("migrations", "breaks_permille", x.perform_breaks_permille);
  from.number("migrations", "share_of_ten", x.migrate_share);
  from.number("migrations", "at_once", x.migrations_at_once);
  from.number("gateways", "count", x.gateways);
  from.number("gateways", "crash_every_ms", x.gateway_crash_every_ms);
  from.number("gateways", "down_max_ms", x.gateway_down_max_ms);
  from.number("clients", "count", x.clients);
  from.number("clients", "pause_ms", x.pause_ms);
  from.number("clients", "vms", x.vms);
  from.number("feed", "keep_changes", x.keep_changes);
  from.number("load", "crowd", x.crowd);
  from.number("load", "most_commands", x.frontend.most_commands);
  from.number("load", "most_host_commands", x.frontend.most_host_commands);
}

} // namespace

scenario scenario::load(const std::filesystem::path& file) {
  reader from{file};
  scenario x;
  x.name = file.stem().string();
  from.number("group", "voters", x.voters);
  x.nodes = x.voters;
  from.number("group", "nodes", x.nodes);
  from.number("group", "election_ms", x.replica.election_ms);
  from.number("group", "heartbeat_ms", x.replica.heartbeat_ms);
  from.number("group", "compact_every", x.replica.compact_every);
  from.number("group", "keep_log", x.replica.keep_log);
  from.number("group", "snapshot_chunks", x.replica.snapshot_chunks);
  from.number("time", "faults_ms", x.faults_ms);
  from.number("time", "converge_ms", x.converge_ms);
  from.number("network", "delay_min_ms", x.net.delay_min_ms);
  from.number("network", "delay_max_ms", x.net.delay_max_ms);
  from.number("network", "loss_permille", x.net.loss_permille);
  from.number("network", "duplicate_permille", x.net.duplicate_permille);
  from.get("network", "in_order", x.net.in_order);
  from.number("network", "partition_every_ms", x.partition_every_ms);
  from.number("network", "partition_max_ms", x.partition_max_ms);
  from.number("disk", "latency_min_ms", x.disk.latency_min_ms);
  from.number("disk", "latency_max_ms", x.disk.latency_max_ms);
  from.number("disk", "slow_every_ms", x.slow_disk_every_ms);
  from.number("disk", "slow_max_ms", x.slow_disk_max_ms);
  from.number("disk", "slow_factor", x.slow_disk_factor);
  from.number("disk", "full_every_ms", x.full_disk_every_ms);
  from.number("disk", "full_max_ms", x.full_disk_max_ms);
  from.number("process", "crash_every_ms", x.crash_every_ms);
  from.number("process", "down_max_ms", x.down_max_ms);
  from.number("load", "propose_every_ms", x.propose_every_ms);
  from.number("load", "crowd_every_ms", x.crowd_every_ms);
  from.number("members", "hand_over_every_ms", x.hand_over_every_ms);
  from.number("members", "change_every_ms", x.change_every_ms);
  from.get("members", "lose_majority", x.lose_majority);
  read_fleet(from, x.fleet);
  from.finish();
  if (x.voters == 0 || x.nodes < x.voters || x.net.delay_max_ms < x.net.delay_min_ms
      || x.disk.latency_max_ms < x.disk.latency_min_ms
      || x.fleet.hypervisor.latency_max_ms < x.fleet.hypervisor.latency_min_ms
      || (x.fleet.hosts > 0 && x.propose_every_ms > 0)
      || (x.fleet.hosts == 0 && (x.crowd_every_ms > 0 || x.lose_majority))
      || (x.lose_majority && (x.voters < 3 || x.nodes != x.voters)))
    throw std::runtime_error{file.string() + ": the sizes make no sense"};
  return x;
}

} // namespace novacron::sim
