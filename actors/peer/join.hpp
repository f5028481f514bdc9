#pragma once

#include "actors/peer/errors.hpp"
#include "messages/commands.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

// How a node that has no certificate yet gets one, over a connection that nobody
// need trust. The token is a private key (Ed25519, RFC 8032) with the fingerprint
// of the cluster's CA; the log holds its public key. The token is never sent: it
// signs what is asked, so whoever listens, or stands in between, can neither use
// it nor change for whom a certificate is. The answer is signed by the CA that
// the fingerprint names, so nobody can pose as the cluster.
//
// All of these functions are pure but for `draw_join_token`; any thread.

/// What an operator hands to a new node. Never logged, and shown once.
struct join_token {
  token_id id;
  std::array<std::byte, 32> secret{};
  std::array<std::byte, 32> authority{}; ///< SHA-256 of the CA's certificate, in DER

  friend bool operator==(const join_token&, const join_token&) = default;
};

/// A new one for the cluster of this CA. Fails with `malformed`.
result<join_token> draw_join_token(token_id id, std::string_view authority_pem);

/// "novacron-join-1.<id>.<secret>.<authority>", the last two in hexadecimal.
std::string to_text(const join_token& token);
/// Fails with `malformed`.
result<join_token> parse_join_token(std::string_view text);
std::array<std::byte, 32> public_key_of(const join_token& token);

/// What a node asks for.
struct join_request {
  token_id token;
  node_id node; ///< drawn by itself
  std::string name;
  std::string mesh_address;
  std::string public_key; ///< PEM (RFC 7468); the private one never leaves the node

  /// What the token signs.
  [[nodiscard]] std::vector<std::byte> text() const;
};

result<std::vector<std::byte>> sign_join(const join_token& token, const join_request& request);
/// Succeeds when the token with this public key has signed. Fails with `forged`.
result<void> verify_join(std::span<const std::byte, 32> key, const join_request& request,
                         std::span<const std::byte> signature);

/// What it gets.
struct join_answer {
  std::string certificate;              ///< PEM
  std::string authority;                ///< PEM, the CA's
  std::string cluster;                  ///< uuid
  std::vector<std::string> controllers; ///< addresses of their doors

  /// What the CA signs: the answer to this request and no other.
  [[nodiscard]] std::vector<std::byte> text(const join_request& request) const;
};

/// Succeeds when the answer is from the cluster that the token names, and its
/// certificate is for this node and the key in `key_pem`. Fails with `untrusted`,
/// `forged`, `malformed` or as `verify_with_authority` does.
result<void> check_answer(const join_token& token, const join_request& request,
                          const join_answer& answer, std::string_view key_pem,
                          std::span<const std::byte> signature);

/// A new key on P-256: both halves in PEM. Fails with `unusable`.
struct key_pair {
  std::string private_key;
  std::string public_key;
};
result<key_pair> draw_key_pair();

/// Two lower-case digits for each byte.
std::string hex_of(std::span<const std::byte> bytes);
/// Empty: it isn't hexadecimal.
std::vector<std::byte> from_hex(std::string_view text);

} // namespace novacron
