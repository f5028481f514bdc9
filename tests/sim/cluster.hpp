#pragma once

#include "any_host.hpp"
#include "client.hpp"
#include "crowd.hpp"
#include "fleet.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace novacron::sim {

/// Everything of a cluster but its replicas: controllers on them, hosts, clients,
/// what breaks hosts, and whether in the end all is as it was asked for. What
/// controllers, hosts and lines are made of, each layer says itself.
class cluster {
public:
  cluster(world& all, const fleet_settings& how);
  virtual ~cluster();

  /// A replica's process gets its controller. It `founds` the group, or joins later.
  virtual void add(replica_node& replica, bool founds) = 0;
  virtual void start(replica_node& replica) { replica.start(); }
  virtual void crash(replica_node& replica) { replica.crash(); }
  /// While it was down, a new timeline was made of its disk, which begins at this index.
  virtual void recovered(replica_node& replica, uint64_t index) = 0;
  /// Whoever tells joining nodes of the others has heard of this one.
  [[nodiscard]] virtual bool knows(const replica_node&) const { return true; }
  /// Its node was removed for good: the machine is put away.
  virtual void put_away(replica_node& replica) { crash(replica); }
  /// Somebody wishes the members were others; there should be so many voters. False: nobody here
  /// takes wishes, and the group is asked itself.
  virtual bool change_members(uint64_t voters);
  /// Hears which nodes were removed for good.
  void hear_of_removals(std::function<void(uint64_t node)> who) {
    fleet_.when_removed = std::move(who);
  }
  /// Proposes at this replica's process; `done` as `replica_node::propose`'s. False: it
  /// doesn't lead.
  virtual bool propose(replica_node& at, command_batch what, replica_node::proposal_callback done);
  /// As `scheduler::step`.
  virtual bool step(uint64_t until) { return all_.time.step(until); }

  virtual void begin();
  /// The majority's disks are lost, and an operator recovers from what is left.
  fleet& recovers() { return fleet_; }
  /// Ends, as an operator does, guests that only a lost part of the log accounts for.
  void end_by_hand(const cluster_state& state);
  /// Many callers come at once.
  void crowd_comes();
  /// No more faults; whoever is down comes back.
  virtual void mend();
  /// What is not yet as it was asked for; empty: nothing. `state` is the leader's.
  [[nodiscard]] virtual std::string unfinished(const cluster_state& state);
  /// Which wish for the group's members isn't fulfilled; empty: none. Both are the leader's.
  [[nodiscard]] virtual std::string unsettled(const cluster_state& state,
                                              const membership& members);
  [[nodiscard]] std::string describe() const;

protected:
  /// To be called by the constructor of what is a whole cluster.
  void make_hosts();
  virtual std::unique_ptr<any_host> make_host(uint64_t number) = 0;
  virtual std::unique_ptr<api_line> make_line(uint64_t number) = 0;
  /// Cuts a process off for a while: from some or all, one way or both.
  void cut_off(uint64_t one);
  void every(uint64_t mean_ms, std::function<void()> call);

  world& all_;
  fleet fleet_;
  std::vector<std::pair<uint64_t, node_clock*>> controllers_; ///< by their number
  std::vector<std::unique_ptr<any_host>> hosts_;
  bool faults_ = true;

private:
  any_host& some_host();
  void crash_agent();
  void freeze_agent();
  void lose_power();
  void kill_fencer();
  void kill_daemon();
  void hang_daemon();
  void kill_actor();
  void end_guest();
  void jump_clock();
  void drift();

  std::vector<std::unique_ptr<client>> clients_;
  std::unique_ptr<crowd> crowd_; ///< null: none comes
};

} // namespace novacron::sim
