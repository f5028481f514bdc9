#pragma once

#include "actors/host/host_context.hpp"
#include "actors/supervisor/supervision_spec.hpp"
#include "actors/view/view_table.hpp"
#include "hypervisor/simulated/simulated_host.hpp"
#include "tests/becomes_true.hpp"
#include "tests/unit/actors/call_gate.hpp"
#include "tests/unit/actors/test_authority.hpp"

#include <atomic>
#include <caf/actor_system_config.hpp>
#include <optional>
#include <thread>

namespace novacron {

/// One host of the cluster: its machine outlives all of its actors.
struct small_host {
  node_id id;
  std::string name;
  std::shared_ptr<call_gate> calls = std::make_shared<call_gate>();
  /// The fencer takes no deadline any more; and how often it refused one.
  std::shared_ptr<std::atomic<bool>> fencer_hangs = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<int>> refused_deadlines = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<simulated_host> machine;
  std::shared_ptr<host_context> context;

  /// What the machine runs of this VM; nothing: nothing.
  [[nodiscard]] std::optional<guest_status> guest(vm_id vm) const;
  [[nodiscard]] bool runs(vm_id vm) const;
};

/// A controller of one voter with a view, and two hosts with simulated guests,
/// in one process, supervised as a node's actors are. Real are the log and its
/// disk, the actors and their threads, and the pages' TLS; only the mesh is
/// handed over as it is. All waits have a deadline.
class small_cluster {
public:
  small_cluster();
  ~small_cluster();
  small_cluster(const small_cluster&) = delete;
  small_cluster& operator=(const small_cluster&) = delete;

  small_host first;
  small_host second;
  std::shared_ptr<view_table> view = std::make_shared<view_table>();
  /// So many requests over links between hosts are still answered "unconnected".
  std::atomic<int> links_not_up = 0;

  /// What the log says to one command; nothing when nobody answered.
  std::optional<command_outcome> propose(command_body what, const std::string& key = {});
  /// Proposes until the log takes it.
  command_outcome insist(const command_body& what);
  /// Creates a VM on `where`, starts it, and waits until the log shows that it runs.
  vm_id run_guest(const small_host& where, restart_policy policy = restart_policy::never);
  void request(vm_id vm, requested_state what);
  /// Reserves a migration to `where`.
  migration_id migrate(vm_id vm, const small_host& where);

  /// The record as the log has it now.
  template <class Record, class Id>
  std::optional<Record> find(const Id& id) {
    for (const auto& each : records())
      if (auto* record = std::get_if<Record>(&each); record && record->id == id)
        return *record;
    return std::nullopt;
  }
  bool shows(vm_id vm, actual_state actual);
  bool shows(migration_id migration, migration_phase phase);

  /// Ends a host's actor for good; its guests and their actors live on.
  void end_agent(const small_host& host);
  /// Starts another one.
  void start_agent(const small_host& host);
  /// Kills the actor at this path below the root, as a fault would, and waits
  /// until its supervisor has started the next one.
  void kill(const std::string& path);
  /// How often the actor at this path was started again.
  uint32_t restarts(const std::string& path);

  /// Whether it holds within 20 s.
  template <class Condition>
  static bool becomes(Condition holds) {
    return becomes_true(std::chrono::seconds{20}, holds);
  }

private:
  struct parts;

  void make_host(small_host& host, uint64_t number);
  supervisor_spec tree();
  void add_host(supervisor_spec& root, small_host& host);
  child_spec agent_of(const small_host& host);
  std::vector<any_record> records();
  std::vector<actor_status> actors();

  scratch_folder folder_;
  test_authority authority_;
  std::unique_ptr<parts> parts_;
};

} // namespace novacron
