#pragma once

#include "actors/peer/hello_proof.hpp"

#include <caf/fwd.hpp>
#include <chrono>
#include <filesystem>

namespace novacron {

struct mesh_files {
  std::filesystem::path certificate;
  std::filesystem::path key;
  std::filesystem::path authority;
};

struct mesh_config {
  mesh_files files;
  cluster_id cluster;
  size_t threads = 2; ///< of the scheduler
  std::chrono::milliseconds heartbeat{
      1'500};                               ///< equal on all nodes, or idle ones are declared dead
  std::chrono::milliseconds timeout{6'000}; ///< of a node that is silent
};

/// Reads and checks a node's certificate, key and authority. Without all three
/// CAF would speak TLS to anybody, so there is no mesh without them. Fails with
/// the file in the message.
result<mesh_identity> read_mesh_identity(const mesh_files& files);

/// Sets an actor system up for the mesh: our messages, TLS with mutual
/// authentication, heartbeats, the sharing scheduler, and a handshake that
/// refuses other clusters and versions. Checks the files first.
///
///     caf::actor_system_config cfg;
///     if (auto ready = configure_mesh(cfg, mesh); !ready) …
///     caf::actor_system system{cfg};
result<void> configure_mesh(caf::actor_system_config& cfg, const mesh_config& mesh);

} // namespace novacron
