#pragma once

#include "cluster.hpp"
#include "replica_node.hpp"
#include "scenario.hpp"
#include "unit/storage/random_commands.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace novacron::sim {

/// What a schedule came to.
struct verdict {
  std::string violation; ///< empty: all promises were kept
  uint64_t trace_hash = 0;
  uint64_t applied = 0; ///< entries, by anybody
  uint64_t at_ms = 0;   ///< virtual time at the end
  probes seen;
};

/// One run of a scenario under one seed: a group of replicas, a client, and
/// whoever breaks things. Then everything is mended, and must be well.
class schedule {
public:
  /// Makes all of a cluster but its replicas; null: only those are simulated.
  using cluster_maker
      = std::function<std::unique_ptr<cluster>(world& all, const fleet_settings& how)>;
  /// Of pure states, without actors.
  static std::unique_ptr<cluster> make_modelled_cluster(world& all, const fleet_settings& how);

  schedule(const scenario& weather, uint64_t seed,
           const cluster_maker& make = make_modelled_cluster);

  verdict run();
  /// Says what happens, line by line, on standard error.
  void tell() { all_.check.tells = true; }

private:
  // -- what happens again and again ----------------------------------------------------

  void every(uint64_t mean_ms, std::function<void()> call);
  void propose();
  void crash_one();
  void cut_some();
  /// From all other controllers, one way or both.
  void cut_off(uint64_t one, bool from_all);
  void slow_one();
  void slow(replica_node& node);
  void crowd_comes();
  void fill_one();
  void hand_over();
  void change_members();
  void drop(uint64_t number);
  void put_away_for_good(uint64_t number);

  // -- a lost majority, in schedule_recovery.cpp -------------------------------------------

  void lose_majority();
  void recover(replica_node& survivor);
  void add_members();
  void end_by_hand();

  // -- the end -------------------------------------------------------------------------

  void mend();
  [[nodiscard]] bool converged();
  void check_end();

  // -- as the layer does it --------------------------------------------------------------

  bool step(uint64_t until) { return cluster_ ? cluster_->step(until) : all_.time.step(until); }
  void start(replica_node& node) { cluster_ ? cluster_->start(node) : node.start(); }
  void crash(replica_node& node) { cluster_ ? cluster_->crash(node) : node.crash(); }
  void put_away(replica_node& node) { cluster_ ? cluster_->put_away(node) : node.crash(); }
  bool propose(replica_node& at, const command_batch& what, replica_node::proposal_callback done);

  replica_node* leader();
  replica_node& add_node(bool founds);
  void restart_later(replica_node& node);
  /// Its machine was put away.
  [[nodiscard]] bool is_lost(const replica_node& node) const;

  const scenario weather_;
  world all_;
  std::vector<std::unique_ptr<replica_node>> nodes_;
  std::vector<std::unique_ptr<replica_node>> dropped_; ///< messages to them are still under way
  std::set<uint64_t> leaving_;                         ///< were members, and never will be again
  std::unique_ptr<cluster> cluster_;                   ///< null: only the replicas are simulated
  random_commands commands_;
  uint64_t proposals_ = 0;
  uint64_t last_number_ = 0;
  uint64_t probe_index_ = 0; ///< of the write that shows that the group is well again
  bool faults_ = true;
  bool majority_lost_ = false; ///< and nobody has recovered the cluster yet
  bool members_missing_ = false;
};

} // namespace novacron::sim
