#pragma once

#include "client.hpp"
#include "controller.hpp"
#include "fleet.hpp"
#include "host_node.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace novacron::sim {

/// Everything of a cluster but its replicas: controllers on them, hosts, clients,
/// what breaks hosts, and whether in the end all is as it was asked for.
class cluster {
public:
  cluster(world& all, const fleet_settings& how);

  /// A replica's process gets its controller.
  void add(replica_node& replica);
  void begin();
  /// No more faults; whoever is down comes back.
  void mend();
  /// What is not yet as it was asked for; empty: nothing. `state` is the leader's.
  [[nodiscard]] std::string unfinished(const cluster_state& state) const;
  [[nodiscard]] std::string describe() const;

private:
  void every(uint64_t mean_ms, std::function<void()> call);
  host_node& some_host();
  void crash_agent();
  void freeze_agent();
  void lose_power();
  void cut_host();
  void kill_fencer();
  void kill_daemon();
  void hang_daemon();
  void kill_actor();
  void end_guest();
  void jump_clock();
  void drift();

  world& all_;
  fleet fleet_;
  std::vector<std::unique_ptr<controller>> controllers_;
  std::vector<std::unique_ptr<host_node>> hosts_;
  std::vector<std::unique_ptr<client>> clients_;
  bool faults_ = true;
};

} // namespace novacron::sim
