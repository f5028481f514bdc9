#pragma once

#include "actors/host/host_context.hpp"
#include "tests/integration/fenced_host.hpp"
#include "tests/integration/interrupting_hypervisor.hpp"

#include <caf/fwd.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace novacron::test {

struct control_actors;

/// What a host's agent is given at its start.
struct agent_setup {
  caf::actor_system& system;
  const control_actors& control;
  logger log;
  /// Certificate and key of a host.
  std::function<tls_files(node_id)> issue;
  /// Connects to another host, as the mesh would.
  std::function<link_actor(const std::string& mesh_address)> connect;
  /// Called before a proposal of this agent is passed on; may kill the agent,
  /// what it has sent is passed on all the same.
  std::function<void(const proposal&)> before_proposal;
  uint64_t kept_bytes = 0; ///< of guests that left or came (`kept_memory`); 0: none
};

/// A host with a fencer, a libvirtd, and an agent that can be killed and
/// started anew. Its mesh address is its name.
class migrating_host {
public:
  migrating_host(std::string name, agent_setup setup);
  ~migrating_host();
  migrating_host(const migrating_host&) = delete;
  migrating_host& operator=(const migrating_host&) = delete;

  /// Starts the agent, unless it lives; blocks until libvirtd answers.
  void start_agent();
  /// As SIGKILL: its actors end where they are, its connections close, nobody
  /// is told anything. Any thread, a hook's as well.
  void kill_agent();
  /// Finds the controller again, which was started anew.
  void find_control();
  /// SIGKILL; the fencer starts another. Returns once it is dead.
  void kill_libvirtd();
  /// SIGKILL to the guest's QEMU. Returns once it is dead.
  void kill_guest(vm_id vm);

  /// The present agent's; an invalid handle while there is none.
  [[nodiscard]] host_actor host();
  /// What libvirt has of ours, by the present agent.
  [[nodiscard]] std::vector<guest_status> guests();
  /// Our QEMU processes of this VM, whatever libvirt says.
  [[nodiscard]] std::vector<int> processes(vm_id vm) const;
  /// What migrations may leave: sockets and marks.
  [[nodiscard]] std::vector<std::string> leftovers() const;

  [[nodiscard]] node_id id() const { return machine_.config.host; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::filesystem::path console_log(vm_id vm) const;
  [[nodiscard]] const fenced_host& machine() const { return machine_; }
  interruptions& plan() { return *plan_; }

private:
  /// One life of the agent.
  struct agent {
    std::shared_ptr<host_context> context;
    std::shared_ptr<interrupting_hypervisor> driver;
    std::vector<caf::actor> ways;    ///< to log and peers: cut first
    std::vector<caf::actor> workers; ///< the host's actor, and the supervisor of the guests'
  };
  std::shared_ptr<hypervisor> connect_to_libvirt();
  void describe(host_context& context);
  void open_ways(agent& life);
  void bury_dead();
  void cut_connections(const std::weak_ptr<hypervisor>& driver) const;
  std::filesystem::path state() const { return machine_.config.state; }

  std::string name_;
  agent_setup setup_;
  fenced_host machine_;
  std::mutex fencer_mutex_;
  std::optional<fencer_client> fencer_;
  std::filesystem::path libvirt_socket_;
  std::shared_ptr<interruptions> plan_;
  std::mutex mutex_;
  std::unique_ptr<agent> living_;
  std::vector<agent> dead_; ///< until their last work has let go of them
};

} // namespace novacron::test
