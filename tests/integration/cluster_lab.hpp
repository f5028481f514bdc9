#pragma once

#include "runtime/cli/gateway_client.hpp"
#include "runtime/cli/render.hpp"
#include "runtime/demo/child_process.hpp"
#include "tests/becomes_true.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace novacron::test {

/// What a cluster is made of: cluster-configs/dev, where node 1 is the only
/// controller, or cluster-configs/three-nodes, where each node is one; or, for
/// changes of the members, three controllers of which only node 1 is a host, and
/// which sign for those that join as nodes 4 to 6; or, to lose all controllers and
/// no more, `apart`: node 1 is a gateway, nodes 2 and 3 are hosts, 4 to 6 controllers.
enum class lab_plan : uint8_t { dev, three_nodes, members, apart };

/// A cluster as processes of the novacron executable, in a folder and on ports
/// of its own. Nothing restarts a node but the test. Ends all that
/// it started, fencers and guests too, and removes its folder.
class cluster_lab {
public:
  /// `settings`: further ones for each node, "section.key=value".
  explicit cluster_lab(bool simulated, std::vector<std::string> settings = {},
                       lab_plan plan = lab_plan::dev);
  ~cluster_lab();
  cluster_lab(const cluster_lab&) = delete;
  cluster_lab& operator=(const cluster_lab&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  /// Of a node's gateway.
  [[nodiscard]] std::string url(int node = 1) const;
  [[nodiscard]] int mesh_port(int node) const { return port_ + node; }
  [[nodiscard]] int page_port(int node) const { return port_ + (has_own_files() ? 12 : 10) + node; }
  [[nodiscard]] int gateway_port(int node) const;
  /// Where a node that joins has its files; of `members`.
  [[nodiscard]] std::filesystem::path joined_folder(int node) const;
  /// Makes them, as `novacron cluster token`, `cluster join` and a copy of the tokens do; `roles`
  /// as in "controller+gateway", `gateway_at`: the node whose port its gateway takes. Of `members`.
  void let_join(int node, const std::string& roles, int gateway_at) const;

  /// What starts node 1, 2 or 3; settings that stand later win.
  [[nodiscard]] child_command command_of(int node, std::vector<std::string> more = {}) const;
  /// The node is started from this executable from now on.
  void run_from(int node, std::filesystem::path program);
  /// Starts it; ends the test if that fails.
  void start(int node, std::vector<std::string> more = {});
  /// Starts all that the plan begins with, and waits until so many of them are hosts that
  /// are up; ends the test if they aren't.
  void start_all(size_t hosts = 3);
  [[nodiscard]] child_process& process(int node) { return processes_.at(node); }
  /// SIGKILL, and waits for the end.
  void kill(int node);
  /// Waits until so many hosts are up.
  bool await_hosts(size_t count) const;

  /// One exchange with node 1's gateway.
  [[nodiscard]] result<client_reply> ask(const std::string& method, const std::string& path,
                                         const std::string& body = {},
                                         const std::string& key = {}) const;
  /// The same with another node's.
  [[nodiscard]] result<client_reply> ask_at(int node, const std::string& method,
                                            const std::string& path, const std::string& body = {},
                                            const std::string& key = {}) const;
  /// Asks with the same key until there is an answer below 500; status 0: none in 40 s.
  [[nodiscard]] client_reply insist(const std::string& method, const std::string& path,
                                    const std::string& body, const std::string& key) const;
  /// All items of a list, over all pages; ends the test if they can't be read.
  [[nodiscard]] std::vector<boost::json::value> list(const std::string& what) const;
  /// Waits for the operation that a verb began; its last state, as in "succeeded".
  [[nodiscard]] std::string end_of(const client_reply& begun) const;
  /// The node that leads, as `asked` says; 0: nobody does.
  [[nodiscard]] int leader(int asked = 1) const;
  /// Waits until the VM's field says so.
  bool await_vm(const std::string& id, const std::string& field, const std::string& value) const;

  /// Pids of fencers that belong to this cluster, with their arguments.
  [[nodiscard]] std::map<int, std::vector<std::string>> fencers() const;
  /// A node's log, for a failed check.
  [[nodiscard]] std::string end_of_log(int node) const;

private:
  /// Its nodes start from files that the lab writes, not from cluster-configs.
  [[nodiscard]] bool has_own_files() const {
    return plan_ == lab_plan::members || plan_ == lab_plan::apart;
  }
  void write_file(int node) const;
  [[nodiscard]] child_command own_command(int node, const std::vector<std::string>& more) const;
  [[nodiscard]] std::filesystem::path program_of(int node) const;

  std::filesystem::path folder_;
  int port_;
  bool simulated_;
  std::vector<std::string> settings_;
  lab_plan plan_;
  std::map<int, std::filesystem::path> programs_; ///< where it isn't the one that is tested
  std::map<int, gateway_client> api_;             ///< by node
  std::map<int, child_process> processes_;
};

/// The body of a create; `more`: further members, as in ",\"restart\":\"on_failure\"".
std::string vm_body(const std::string& name, uint64_t memory_mib, const std::string& more = {});

} // namespace novacron::test
