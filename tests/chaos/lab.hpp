#pragma once

#include "fault_plan.hpp"
#include "ledger.hpp"
#include "link_proxy.hpp"
#include "messages/ids.hpp"
#include "node_keeper.hpp"
#include "run_census.hpp"
#include "runtime/cli/gateway_client.hpp"

#include <array>
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
  std::filesystem::path bad_disk;                       ///< the library that makes disks worse
  std::filesystem::path link_detour; ///< the library that leads connections over the links
  bool real = false;                 ///< node-6's guests are real ones
  uint64_t seed = 1;
};

/// Nine nodes as processes of the novacron executable, three of each kind:
///
///     node-1..3  controllers. Each has a gateway, too, which only the observer and the
///                reckoning ask: nobody else shows what this one's replica holds
///     node-4..6  hosts
///     node-7..9  gateways: the only ones that users ask
///
/// Between each two that ever connect there is a link that can be made bad: between
/// controllers, snapshots too, from hosts and gateways to controllers, and from host to host,
/// guests' pages too. The nodes know each other's true doors; `link_detour` leads them there
/// over the link. Users come to the gateways directly.
///
/// node-2's state lies on a disk of its own, small enough to be filled, where
/// such a disk can be mounted.
///
/// Ends all that it started, fencers, libvirtds, machines and guests too.
class lab {
public:
  static constexpr int nodes = 9;
  static constexpr std::array controllers{1, 2, 3};
  static constexpr std::array hosts{4, 5, 6};
  static constexpr std::array gateways{7, 8, 9};
  /// That have an API.
  static constexpr std::array asked{1, 2, 3, 7, 8, 9};
  static constexpr int real_node = 6;
  static constexpr int small_disk_node = 2;
  /// That a gateway lets wait at once: more than all users and watchers together, and few enough
  /// that some clients can be too many.
  static constexpr int requests_in_flight = 24;

  static constexpr bool is_controller(int node) { return node <= controllers.back(); }
  static constexpr bool is_host(int node) { return node >= hosts.front() && node <= hosts.back(); }
  static constexpr bool has_gateway(int node) { return !is_host(node); }
  /// Whom a user asks next who got no answer from this one.
  static constexpr int next_gateway(int node) {
    return node >= gateways.back() || node < gateways.front() ? gateways.front() : node + 1;
  }

  /// Throws std::runtime_error when the cluster can't be made.
  explicit lab(lab_options options);
  ~lab();
  lab(const lab&) = delete;
  lab& operator=(const lab&) = delete;

  void start();

  [[nodiscard]] const lab_options& options() const { return options_; }
  [[nodiscard]] node_keeper& node(int number) { return *keepers_.at(number); }
  /// How often its process has ended so far.
  [[nodiscard]] size_t lives(int node) const { return keepers_.at(node)->endings().size(); }
  [[nodiscard]] static std::string name(int node) { return "node-" + std::to_string(node); }
  [[nodiscard]] std::filesystem::path state_of(int node) const {
    return options_.folder / name(node);
  }
  /// Is there once the node's gateway has asked for one more.
  [[nodiscard]] std::filesystem::path scale_out_mark(int node) const {
    return std::filesystem::absolute(options_.folder / (name(node) + ".scale-out"));
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

  /// One exchange with the gateway of a node that has one.
  [[nodiscard]] result<client_reply> ask(int node, const client_request& request) const {
    return api_.at(node).ask(request);
  }
  /// All of the cluster's VMs and operations, by a node's linearizable reads.
  /// Fails with the first page that wasn't to be had.
  [[nodiscard]] result<shown_state> read_all(int node) const;

  /// Makes these nodes' links so, in this direction, seen from them.
  void set_links(const std::vector<int>& of, fault_way way, const link_condition& condition);
  /// What each of the node's syncs takes longer.
  void slow_down(int node, std::chrono::milliseconds sync);
  /// Fills node-2's disk, or makes room again.
  void fill_small_disk(bool full);

private:
  struct link {
    int from = 0; ///< who dials
    int to = 0;
    uint16_t door = 0; ///< that it leads to
    std::unique_ptr<link_proxy> proxy;
  };

  void add_link(int from, int to, int door);
  [[nodiscard]] child_command command_of(int node) const;
  void write_config(int node) const;
  [[nodiscard]] result<std::vector<boost::json::value>> read_list(int node,
                                                                  const std::string& what) const;

  lab_options options_;
  int port_ = 0;
  std::set<node_id> ids_;
  std::string no_small_disk_;
  std::vector<link> links_;
  std::map<int, gateway_client> api_;
  std::map<int, std::unique_ptr<node_keeper>> keepers_;
};

} // namespace novacron::chaos
