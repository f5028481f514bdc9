#pragma once

#include "actors/peer/errors.hpp"
#include "messages/peer.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace novacron {

// Who a node is stands in its certificate's subject alternative names (RFC 5280,
// 4.2.1.6), as URIs: one "novacron:node:<uuid>", and a "novacron:role:<role>"
// for each role. All of these functions are pure, take PEM, and may be called
// from any thread.

inline constexpr std::string_view node_uri = "novacron:node:";
inline constexpr std::string_view role_uri = "novacron:role:";

/// What a certificate says of its owner. Believe it only after
/// `verify_with_authority`, and of a peer only after `verify`.
struct node_identity {
  node_id node;
  std::vector<node_role> roles; ///< ascending, without repeats; at least one

  [[nodiscard]] bool has(node_role role) const;
  friend bool operator==(const node_identity&, const node_identity&) = default;
};

/// Reads the owner out of the first certificate in `certificate`. Fails with
/// `malformed`, or with `nameless` when the SAN holds no uuid, two, a role that
/// isn't known, or none.
result<node_identity> identity_of(std::string_view certificate);

/// Succeeds when `authority` signed `certificate` and both are valid now.
/// Fails with `malformed`, `untrusted` or `expired`.
result<void> verify_with_authority(std::string_view certificate, std::string_view authority);

/// Succeeds when `key` is the certificate's own. Fails with `malformed` or `forged`.
result<void> verify_key(std::string_view certificate, std::string_view key);

/// Signs `bytes`: ECDSA with SHA-256 for keys on P-256.
result<std::vector<std::byte>> sign(std::string_view key, std::span<const std::byte> bytes);

/// Succeeds when the key of `certificate` made `signature` over `bytes`. Fails
/// with `malformed` or `forged`.
result<void> verify(std::string_view certificate, std::span<const std::byte> bytes,
                    std::span<const std::byte> signature);

} // namespace novacron
