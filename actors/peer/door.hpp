#pragma once

#include "actors/log/log.hpp"
#include "actors/peer/guest_book.hpp"
#include "actors/peer/known_nodes.hpp"
#include "actors/peer/mesh_ports.hpp"
#include "actors/peer/node_roster.hpp"
#include "messages/actors.hpp"
#include "messages/address.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>

namespace novacron {

/// A door and its own clock.
using door_with_clock = door_actor::extend<caf::reacts_to<tick_atom>>;

struct door_config {
  std::shared_ptr<const mesh_identity> self;
  std::optional<address> listen;             ///< where the door is published, over TLS; port 0: any
  bool chaos = false;                        ///< may others kill actors here, or through here?
  std::shared_ptr<known_nodes> known;        ///< kept up to date; may be null
  std::shared_ptr<const node_roster> roster; ///< whom not to let in any more; may be null
  logger log;
  /// Told the port once it is open; on the door's thread. May be empty.
  std::function<void(uint16_t)> published;
  mesh_ports ports;
};

/// Where requests go, asked for each of them: actors come and go. An empty
/// function, or an invalid handle, means that this node doesn't do such things.
struct door_routes {
  std::function<frontend_actor()> frontend;
  std::function<controller_frontend_actor()> leader; ///< for what other controllers forward
  std::function<replica_actor()> replica;
  /// Takes what another node's replica says; on the door's thread, must not block.
  std::function<void(node_id from, std::span<const std::byte> message)> receive;
  std::function<feed_source_actor()> feed;
  std::function<host_actor()> host;
  std::function<supervisor_actor()> supervisor;
  /// How a node without a replica reaches nodes that have no link to it.
  std::function<controller_actor()> controller;
};

struct door_state {
  door_config config;
  door_routes routes;
  node_identity self;
  guest_book guests;
  unsigned publish_attempts = 0;
  uint64_t refusals = 0; ///< since the last line about them
  std::optional<guest_book::time_point> refusals_said;
  static constexpr const char* name = "door";
};

/// The one published actor of a node. Others prove who they are, then it passes
/// on what their roles allow. Ends with an error when its port can't be opened.
door_with_clock::behavior_type door(door_with_clock::stateful_pointer<door_state> self,
                                    door_config config, door_routes routes);

} // namespace novacron
