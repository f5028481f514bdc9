#pragma once

#include "fault_plan.hpp"
#include "ledger.hpp"
#include "link_proxy.hpp"
#include "messages/ids.hpp"
#include "node_keeper.hpp"
#include "run_census.hpp"
#include "runtime/cli/gateway_client.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace novacron::chaos {

struct lab_options {
  std::filesystem::path folder = "build/chaos/cluster"; ///< made anew
  std::filesystem::path program;                        ///< novacron
  std::filesystem::path guest;                          ///< folder with vmlinuz and initrd.gz
  std::filesystem::path configs = "cluster-configs/three-nodes";
  std::filesystem::path bad_disk; ///< the library that makes disks worse
  bool real = false;              ///< node-3's guests are real ones
  uint64_t seed = 1;
};

/// Three nodes, each controller, gateway and host, as processes of the novacron
/// executable; between each two of them, a link that can be made bad.
///
///     node-2 ══ link_proxy ══▶ node-1     of two controllers the one that stands later in
///     node-3 ══ link_proxy ══▶ node-1     mesh.controllers dials, so each node's list names
///     node-3 ══ link_proxy ══▶ node-2     the proxies to those before it
///
/// node-2's state lies on a disk of its own, small enough to be filled, where
/// such a disk can be mounted. Users come to the gateways directly, and pages of
/// guests pass from host to host directly.
///
/// Ends all that it started, fencers, libvirtds, machines and guests too.
class lab {
public:
  static constexpr int nodes = 3;
  static constexpr int real_node = 3;
  static constexpr int small_disk_node = 2;
  /// That a gateway lets wait at once: more than all users and watchers together, and few enough
  /// that some clients can be too many.
  static constexpr int requests_in_flight = 24;

  /// Throws std::runtime_error when the cluster can't be made.
  explicit lab(lab_options options);
  ~lab();
  lab(const lab&) = delete;
  lab& operator=(const lab&) = delete;

  void start();

  [[nodiscard]] const lab_options& options() const { return options_; }
  [[nodiscard]] node_keeper& node(int number) { return *keepers_.at(number); }
  [[nodiscard]] static std::string name(int node) { return "node-" + std::to_string(node); }
  [[nodiscard]] std::filesystem::path state_of(int node) const {
    return options_.folder / name(node);
  }
  [[nodiscard]] std::filesystem::path log_of(int node) const {
    return options_.folder / (name(node) + ".log");
  }
  [[nodiscard]] bool is_real(int node) const { return options_.real && node == real_node; }
  /// Why no disk of node-2's own could be had; empty: it has one.
  [[nodiscard]] const std::string& no_small_disk() const { return no_small_disk_; }
  [[nodiscard]] const std::set<node_id>& ids() const { return ids_; }
  [[nodiscard]] census_places places() const;
  /// One console log for each host.
  [[nodiscard]] std::vector<std::filesystem::path> consoles_of(const std::string& vm) const;

  /// One exchange with a node's gateway.
  [[nodiscard]] result<client_reply> ask(int node, const client_request& request) const {
    return api_.at(node).ask(request);
  }
  /// All of the cluster's VMs and operations, by a node's linearizable reads.
  /// Fails with the first page that wasn't to be had.
  [[nodiscard]] result<shown_state> read_all(int node) const;

  /// Makes the node's links (0: all) so, in this direction, seen from it.
  void set_links(int node, fault_way way, const link_condition& condition);
  /// Bytes that the proxies passed on.
  [[nodiscard]] uint64_t mesh_bytes() const;
  /// What each of the node's syncs takes longer.
  void slow_down(int node, std::chrono::milliseconds sync);
  /// Fills node-2's disk, or makes room again.
  void fill_small_disk(bool full);

private:
  [[nodiscard]] child_command command_of(int node) const;
  void write_config(int node) const;
  [[nodiscard]] result<std::vector<boost::json::value>> read_list(int node,
                                                                  const std::string& what) const;

  lab_options options_;
  int port_ = 0;
  std::set<node_id> ids_;
  std::string no_small_disk_;
  std::map<std::pair<int, int>, std::unique_ptr<link_proxy>> links_; ///< from who dials
  std::map<int, gateway_client> api_;
  std::map<int, std::unique_ptr<node_keeper>> keepers_;
};

} // namespace novacron::chaos
