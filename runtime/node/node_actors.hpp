#pragma once

#include "actors/gateway/gateway.hpp"
#include "actors/host/host_context.hpp"
#include "actors/peer/hello_proof.hpp"
#include "actors/peer/known_nodes.hpp"
#include "actors/peer/mesh_ports.hpp"
#include "actors/peer/node_roster.hpp"
#include "actors/peer/standing_links.hpp"
#include "actors/replica/replica_port.hpp"
#include "actors/view/view_table.hpp"
#include "dwcp/snapshots/snapshot_door.hpp"
#include "dwcp/snapshots/snapshot_line.hpp"
#include "messages/actors.hpp"
#include "runtime/node/node.hpp"

#include <memory>

namespace novacron {

/// What a node's actors share, and where they find one another. A slot of a
/// role that this node doesn't have stays empty.
struct node_parts {
  std::shared_ptr<const mesh_identity> identity;
  node_record own_record; ///< id, name and the certificate's roles
  std::shared_ptr<known_nodes> known = std::make_shared<known_nodes>();
  std::shared_ptr<standing_links> links = std::make_shared<standing_links>(); ///< to controllers
  std::shared_ptr<node_roster> roster = std::make_shared<node_roster>();
  std::shared_ptr<replica_port> port = std::make_shared<replica_port>();
  std::shared_ptr<snapshot_line> snapshots;      ///< to other controllers' doors; may be null
  std::unique_ptr<snapshot_door> snapshots_door; ///< this one's; null: it has none
  std::string snapshots_at;                      ///< "address:port" of it
  std::shared_ptr<host_context> host;            ///< null without the host role
  std::shared_ptr<view_table> view;              ///< null without the gateway role
  std::optional<gateway_config> gateway;

  // What the simulation passes in; `prepare_node` gives a process its own.
  std::function<result<std::unique_ptr<novacron::replica>>(replica_config)> open_replica;
  std::function<double()> chance; ///< from [0, 1)
  uuid_source ids = random_uuid;
  mesh_ports ports;
  bool own_threads = true; ///< for actors that block

  handle_slot<replica_actor> replica;
  handle_slot<feed_source_actor> feed; ///< the local feed, or the way to a controller
  handle_slot<scheduler_actor> scheduler;
  handle_slot<backups_actor> backups;            ///< empty: none are kept here
  handle_slot<frontend_actor> frontend;          ///< the local frontend, or the way to a controller
  handle_slot<controller_frontend_actor> leader; ///< the local frontend, for other controllers
  handle_slot<controller_actor> controller; ///< the way to a controller, without a replica here
  handle_slot<peers_actor> peers;
  handle_slot<door_actor> door;
  handle_slot<supervisor_actor> root;

  /// Lets go of all handles, so that the actor system can stop.
  void release();
};

/// Makes what the node's roles stand on, before any actor: reads the identity,
/// binds the gateway's ports, sets up the host. Blocks. Fails with one line.
result<std::shared_ptr<node_parts>> prepare_node(const node_start& start);

/// Spawns the node's supervision tree:
///
///     node (one_for_one)
///     ├─ services (rest_for_one): replica, feed, scheduler, frontend | controller,
///     │                           peers, door, view, gateway, roster, controllers,
///     │                           recovery, drain, stonith, backups, scale_out
///     ├─ guests   (one_for_one):  a VM's or a migration's actor each
///     └─ host
///
/// A service's death restarts those that stand after it, who hold its handle;
/// guests and host find the services through slots, and go on.
caf::actor spawn_node(caf::actor_system& system, const node_start& start, node_parts& parts);

} // namespace novacron
