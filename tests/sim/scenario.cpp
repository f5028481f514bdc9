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
    known_.insert(std::string{table} + "." + key);
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
  from.number("members", "hand_over_every_ms", x.hand_over_every_ms);
  from.number("members", "change_every_ms", x.change_every_ms);
  from.finish();
  if (x.voters == 0 || x.nodes < x.voters || x.net.delay_max_ms < x.net.delay_min_ms
      || x.disk.latency_max_ms < x.disk.latency_min_ms)
    throw std::runtime_error{file.string() + ": the sizes make no sense"};
  return x;
}

} // namespace novacron::sim
