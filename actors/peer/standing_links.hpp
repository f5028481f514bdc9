#pragma once

#include "messages/actors.hpp"

#include <caf/actor_addr.hpp>
#include <cstddef>
#include <map>
#include <mutex>
#include <vector>

namespace novacron {

/// The links to other controllers that stand, by the nodes that they lead to.
/// Written by the links themselves. Safe from any thread.
///
/// The problem: elections must not wait behind anything. What replicas tell each
/// other therefore passes by no actor's mailbox on this side: it goes from the
/// replica's thread to the other node's door, in the link's name, ahead of
/// whatever waits there. A peer that takes nothing must not fill our memory, so
/// the door says now and then how far it is, and beyond some messages more we
/// drop: consensus repeats what matters.
class standing_links {
public:
  static constexpr uint64_t most_untaken = 256; ///< messages on the way to one node

  void add(node_id node, const link_actor& link, const door_actor& door);
  void remove(const caf::actor_addr& link);
  /// The door has passed on what the link sent, up to this number.
  void taken(const caf::actor_addr& link, uint64_t number);
  void clear();

  /// The link that came to stand last; invalid: none does.
  [[nodiscard]] link_actor find(node_id node) const;
  /// One for each node that has one.
  [[nodiscard]] std::vector<link_actor> all() const;

  /// To the node's replica: in order, each once or not at all. False: dropped.
  bool send(node_id to, std::vector<std::byte> message);

private:
  struct standing {
    link_actor link;
    door_actor door;
    uint64_t sent = 0;
    uint64_t taken = 0;
  };

  mutable std::mutex mutex_;
  std::map<node_id, std::vector<standing>> links_; ///< the last one is in use
};

} // namespace novacron
