#pragma once

#include "cluster.hpp"
#include "controller_process.hpp"
#include "member_operator.hpp"
#include "page_plane.hpp"

#include <map>
#include <memory>
#include <vector>

namespace novacron::sim {

/// A cluster whose processes run the real actors: layer 2.
class actor_cluster final : public cluster {
public:
  actor_cluster(world& all, const fleet_settings& how, network_faults faults, identities& who);
  ~actor_cluster() override;

  void add(replica_node& replica, bool founds) override;
  void start(replica_node& replica) override;
  void crash(replica_node& replica) override;
  void recovered(replica_node& replica, uint64_t index) override;
  [[nodiscard]] bool knows(const replica_node& replica) const override;
  void put_away(replica_node& replica) override;
  bool change_members(uint64_t voters) override;
  bool propose(replica_node& at, command_batch what, replica_node::proposal_callback done) override;
  bool step(uint64_t until) override { return actors_.step(until); }
  void begin() override;
  void mend() override;
  [[nodiscard]] std::string unfinished(const cluster_state& state) override;
  [[nodiscard]] std::string unsettled(const cluster_state& state,
                                      const membership& members) override;

private:
  std::unique_ptr<any_host> make_host(uint64_t number) override;
  std::unique_ptr<api_line> make_line(uint64_t number) override;
  void kill_in_services();
  [[nodiscard]] std::vector<address> told_to(const address& door) const;
  /// Whether every API has taken a write since the faults.
  [[nodiscard]] std::string unwritable(const cluster_state& state);
  /// Its machine wasn't put away.
  [[nodiscard]] bool is_there(const node_process& which) const;
  /// Who was removed and may still write, when all know that it was.
  [[nodiscard]] std::string believed(const cluster_state& state);

  actor_world actors_;
  page_plane pages_;
  node_clock gateway_clock_;
  std::map<uint64_t, std::unique_ptr<controller_process>> processes_; ///< by number
  std::unique_ptr<gateway_process> gateway_;
  std::vector<node_process*> doors_; ///< that callers come through
  std::set<uint64_t> written_;       ///< nodes that took a write since the faults ended
  std::set<uint64_t> writing_;
  std::set<uint64_t> refused_; ///< nodes that were removed, and whose writes are refused
  member_operator operator_{actors_, doors_};
};

} // namespace novacron::sim
