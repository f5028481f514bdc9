#include "runtime/node/node.hpp"

#include "actors/peer/mesh_config.hpp"
#include "runtime/node/host_setup.hpp"
#include "runtime/node/node_actors.hpp"

#include <caf/all.hpp>
#include <chrono>
#include <cstdio>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr int cannot_start = 2;
constexpr int gave_up = 1;
constexpr auto stop_grace = 8s;
constexpr auto ends_looked_at_every = 24h;

int refuse(const failure& why) {
  std::fprintf(stderr, "novacron node: %s\n", why.message.c_str());
  return cannot_start;
}

mesh_config mesh_of(const node_config& config) {
  mesh_config mesh;
  mesh.files = {config.tls.certificate, config.tls.key, config.tls.authority};
  mesh.cluster = config.cluster;
  mesh.heartbeat = config.timing.heartbeat;
  mesh.timeout = config.timing.silence;
  return mesh;
}

/// Ends the root, which ends its children in reverse order, and waits for it.
void end_in_order(caf::actor_system& system, const caf::actor& root) {
  caf::scoped_actor self{system};
  self->monitor(root);
  self->send_exit(root, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {}, caf::after(stop_grace) >> [] {});
}

/// Waits for the wish to stop; says where it came from.
std::string wait_and_warn(const node_start& start, stop_signal& stop) {
  while (true) {
    warn_of_ends(start.ends,
                 std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()),
                 start.log);
    if (auto why = stop.wait_for(ends_looked_at_every))
      return *why;
  }
}

} // namespace

int run_node(const node_start& start, stop_signal& stop) {
  const auto& config = start.config;
  caf::actor_system_config cfg;
  if (auto ready = configure_mesh(cfg, mesh_of(config)); !ready)
    return refuse(ready.error());
  auto parts = prepare_node(start);
  if (!parts)
    return refuse(parts.error());
  caf::actor_system system{cfg};
  auto failed = std::make_shared<std::atomic<bool>>(false);
  auto root = spawn_node(system, start, **parts);
  root->attach_functor([failed, &stop](const caf::error& why) {
    if (why && why != caf::exit_reason::user_shutdown) {
      *failed = true;
      stop.request("an actor died too often");
    }
  });
  start.log.info("node", "started");
  auto why = wait_and_warn(start, stop);
  start.log.info("node", "stops: " + why);
  exit_after(config.timing.stop, gave_up);
  if (!*failed)
    end_in_order(system, root);
  (*parts)->release();
  return *failed ? gave_up : 0;
}

} // namespace novacron
