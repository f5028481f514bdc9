#pragma once

#include "actors/peer/identity.hpp"
#include "messages/peer.hpp"

#include <caf/actor_addr.hpp>
#include <cstddef>
#include <string>
#include <vector>

namespace novacron {

/// Who this node is to others, with what proves it. `key` is never logged.
struct mesh_identity {
  node_id node;
  std::string name;
  cluster_id cluster;
  uint32_t timeline = 0;
  std::string certificate; ///< PEM, signed by `authority`
  std::string key;         ///< PEM
  std::string authority;   ///< PEM; the cluster's own CA
};

enum class hello_side : uint8_t { door, link };

/// What one side of a hello signs.
///
/// TLS only shows that the other end has some certificate of the cluster. So
/// both ends sign the other's challenge, once, together with everything that
/// makes this conversation this one: the side that signs (an answer can't be
/// mirrored), the cluster, the signer, and both actors' addresses (an answer
/// can't be passed on by a node in between, whose actors have other addresses).
struct hello_proof {
  hello_side signer = hello_side::door;
  nonce challenge{}; ///< the other end's
  cluster_id cluster;
  node_id node; ///< the signer's
  caf::actor_addr door;
  caf::actor_addr link;

  [[nodiscard]] std::vector<std::byte> text() const;
};

/// Draws a challenge from OpenSSL's random numbers.
nonce random_nonce();

/// Who made `signature` over `proof`, whose node is filled in from
/// `certificate`. Fails as the functions of identity.hpp do.
result<node_identity> check_proof(hello_proof proof, const std::string& certificate,
                                  const std::vector<std::byte>& signature,
                                  const std::string& authority);

} // namespace novacron
