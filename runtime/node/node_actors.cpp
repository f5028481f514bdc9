#include "runtime/node/node_actors.hpp"

#include "actors/gateway/shed_count.hpp"
#include "actors/peer/mesh_config.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "runtime/certificates/join_signing.hpp"
#include "runtime/certificates/token_file.hpp"
#include "runtime/errors.hpp"
#include "runtime/node/host_setup.hpp"
#include "runtime/node/node_tree.hpp"
#include "runtime/node/own_replica.hpp"
#include "storage/errors.hpp"

#include <caf/all.hpp>
#include <random>

namespace novacron {

void node_parts::release() {
  replica.clear();
  feed.clear();
  scheduler.clear();
  backups.clear();
  frontend.clear();
  leader.clear();
  controller.clear();
  links->clear();
  peers.clear();
  door.clear();
  root.clear();
  if (!host)
    return;
  host->frontend.clear();
  host->feed.clear();
  host->peers.clear();
  host->guests.clear();
  host->host.clear();
}

namespace {

/// Other controllers copy the state over connections of their own.
result<void> open_snapshots(node_parts& parts, const node_config& config) {
  snapshot_lender lender;
  lender.knows = [known = parts.known](node_id node) { return known->has_controller(node); };
  lender.read = [port = parts.port](const snapshot_chunk_request& what) -> result<snapshot_chunk> {
    auto part = port->read_snapshot(what);
    if (!part && part.error().code == storage_errc::stopped)
      return make_failure(dwcp_errc::withdrawn, part.error().message);
    return part;
  };
  const auto place
      = config.controller.snapshot_listen.value_or(address{config.mesh.listen.host, 0});
  auto door = open_snapshot_door(config.tls, place.host, place.port, std::move(lender));
  if (!door)
    return make_failure(runtime_errc::taken, "controller.snapshot_listen = " + to_string(place)
                                                 + ": " + door.error().message);
  parts.snapshots_door = std::move(*door);
  parts.snapshots_at = to_string(address{place.host, parts.snapshots_door->port()});
  parts.snapshots = std::make_shared<snapshot_line>(config.tls);
  return {};
}

} // namespace

result<std::shared_ptr<node_parts>> prepare_node(const node_start& start) {
  const auto& config = start.config;
  auto parts = std::make_shared<node_parts>();
  parts->open_replica
      = [config](const replica_config& how) { return open_own_replica(config, how); };
  parts->chance = [] {
    thread_local std::mt19937 random{std::random_device{}()};
    return std::uniform_real_distribution<>{0, 1}(random);
  };
  auto identity
      = read_mesh_identity({config.tls.certificate, config.tls.key, config.tls.authority});
  if (!identity)
    return identity.error();
  identity->node = config.id;
  identity->name = config.name;
  identity->cluster = config.cluster;
  auto owner = identity_of(identity->certificate);
  if (!owner)
    return owner.error();
  parts->own_record.id = config.id;
  parts->own_record.name = config.name;
  parts->own_record.roles = owner->roles;
  parts->roster = std::make_shared<node_roster>(config.state / "nodes");
  if (parts->roster->removed(config.id))
    start.log.warning("node", "this node was removed from the cluster; others refuse it");
  parts->identity = std::make_shared<const mesh_identity>(std::move(*identity));
  if (config.has(node_role::controller)) {
    auto begins = look_at_beginning(config);
    if (!begins)
      return begins.error();
    if (begins->join && past_of(config.state).empty)
      start.log.warning("node", "this node has no state and founds none: it waits until a leader "
                                "adds it to the group");
    if (auto opened = open_snapshots(*parts, config); !opened)
      return opened.error();
  }
  if (config.gateway) {
    auto tokens = read_token_file(config.gateway->tokens);
    if (!tokens)
      return tokens.error();
    gateway_config gateway;
    gateway.address = config.gateway->listen.host;
    gateway.port = config.gateway->listen.port;
    gateway.operator_port.reset(); // none, unless the file names it
    if (const auto& operators = config.gateway->operator_listen) {
      gateway.operator_address = operators->host;
      gateway.operator_port = operators->port;
    }
    gateway.tokens = std::move(*tokens);
    gateway.node = config.id;
    gateway.chaos = config.chaos;
    gateway.io_threads = config.gateway->io_threads;
    gateway.share_port = config.gateway->share_port;
    gateway.limits.connections = config.gateway->connections;
    gateway.limits.in_flight = config.gateway->in_flight;
    gateway.limits.bodies_bytes = size_t{config.gateway->bodies_mib} << 20;
    gateway.limits.answers_bytes = size_t{config.gateway->answers_mib} << 20;
    auto joins = make_join_desk(config, parts->roster);
    if (!joins)
      return joins.error();
    gateway.joins = std::move(*joins);
    auto ports = bind_gateway(gateway);
    if (!ports)
      return ports.error();
    gateway.ports = *ports;
    gateway.shed = std::make_shared<shed_count>();
    parts->gateway = std::move(gateway);
    parts->view = std::make_shared<view_table>();
  }
  if (config.host) {
    auto host = set_up_host(start);
    if (!host)
      return host.error();
    parts->host = std::move(*host);
  }
  return parts;
}

caf::actor spawn_node(caf::actor_system& system, const node_start& start, node_parts& parts) {
  auto root = system.spawn(supervisor, node_tree(system, start, parts), start.log);
  parts.root.set(root);
  return caf::actor_cast<caf::actor>(root);
}

} // namespace novacron
