#pragma once

#include "messages/ids.hpp"
#include "runtime/cli/gateway_client.hpp"
#include "runtime/demo/demo_options.hpp"
#include "runtime/demo/launcher.hpp"
#include "runtime/demo/process_census.hpp"

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace novacron {

/// The demo's three nodes: their keys, their processes, and the way to their API.
class demo_cluster {
public:
  static constexpr std::array<const char*, 3> names{"node-1", "node-2", "node-3"};

  demo_cluster(const demo_options& options, bool simulated);

  /// Keys, certificates and the token, in <folder>/cluster.
  result<void> init();
  /// The first of the nodes' addresses on which somebody else listens, and what to
  /// do; empty: none.
  [[nodiscard]] std::string busy_address() const;
  /// Starts the nodes, and waits until each is a host that is up.
  result<void> start(std::chrono::milliseconds limit);

  [[nodiscard]] launcher& nodes() { return launcher_; }
  [[nodiscard]] const gateway_client& api() const { return *api_; }
  [[nodiscard]] const std::set<node_id>& ids() const { return ids_; }
  /// As in "http://127.0.0.1:7180".
  [[nodiscard]] std::string url() const;
  [[nodiscard]] std::filesystem::path token_file() const;
  /// Where this node's output goes: its log.
  [[nodiscard]] std::filesystem::path log_of(const std::string& node) const;
  /// Finds this cluster's guests from outside, real or simulated.
  [[nodiscard]] guest_finder finder() const;
  /// The consoles that this VM's guest may write to, one for each host.
  [[nodiscard]] std::vector<std::filesystem::path> consoles_of(const std::string& vm) const;

  /// Reads `path` again and again, whatever breaks, until `good` likes the
  /// answer's body. Fails after `limit`, with the last that was heard.
  [[nodiscard]] result<boost::json::value>
  await(const std::string& path, const std::function<bool(const boost::json::value&)>& good,
        std::chrono::milliseconds limit) const;

private:
  [[nodiscard]] std::string address(int offset) const;
  [[nodiscard]] child_command command_of(size_t number) const;

  const demo_options& options_;
  bool simulated_;
  std::set<node_id> ids_;
  std::optional<gateway_client> api_;
  launcher launcher_;
};

} // namespace novacron
