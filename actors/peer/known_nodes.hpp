#pragma once

#include "messages/ids.hpp"

#include <caf/atom.hpp>
#include <caf/node_id.hpp>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace novacron {

/// The nodes that have connected to us and proved who they are, by CAF's names
/// for them. Written by the door, read by links. Safe from any thread.
///
/// The problem: CAF keeps one connection between two nodes. A second one, made
/// from the other end, is closed in its handshake, and takes the first one and
/// all that hangs on it down. So a link to a node that is connected already
/// must not dial: it looks the door up over the connection that stands.
class known_nodes {
public:
  void add(node_id node, caf::node_id connected_as, bool controller) {
    std::lock_guard lock{mutex_};
    nodes_.insert_or_assign(node, known{std::move(connected_as), controller});
  }
  void remove(node_id node) {
    std::lock_guard lock{mutex_};
    nodes_.erase(node);
  }
  /// There is no connection by this name any more. (A door that has died removes nobody.)
  void disconnected(node_id node, const caf::node_id& was_connected_as) {
    std::lock_guard lock{mutex_};
    auto i = nodes_.find(node);
    if (i != nodes_.end() && i->second.connected_as == was_connected_as)
      nodes_.erase(i);
  }
  [[nodiscard]] std::optional<caf::node_id> find(node_id node) const {
    std::lock_guard lock{mutex_};
    auto i = nodes_.find(node);
    return i == nodes_.end() ? std::nullopt : std::optional{i->second.connected_as};
  }
  /// Connected, and a controller by its certificate.
  [[nodiscard]] bool has_controller(node_id node) const {
    std::lock_guard lock{mutex_};
    auto i = nodes_.find(node);
    return i != nodes_.end() && i->second.controller;
  }
  /// Those whose certificates say that they are controllers.
  [[nodiscard]] std::vector<node_id> controllers() const {
    std::lock_guard lock{mutex_};
    std::vector<node_id> out;
    for (const auto& [node, each] : nodes_)
      if (each.controller)
        out.push_back(node);
    return out;
  }

private:
  struct known {
    caf::node_id connected_as;
    bool controller = false;
  };

  mutable std::mutex mutex_;
  std::unordered_map<node_id, known> nodes_;
};

/// What a node's door is called in its registry.
constexpr caf::atom_value door_name = caf::atom("door");

} // namespace novacron
