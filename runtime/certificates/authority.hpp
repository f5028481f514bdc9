#pragma once

#include "messages/peer.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// A certificate and its private key, both in PEM. Never logged.
struct certified_key {
  std::string certificate;
  std::string key;
};

/// What a node's certificate says.
struct certificate_request {
  std::string name; ///< the node's, as its common name
  node_id node;
  std::vector<node_role> roles;
  std::vector<std::string> addresses{"127.0.0.1"}; ///< IP addresses in the SAN
  std::chrono::hours valid_for{24 * 730};          ///< not positive: expired already, for tests
};

/// Can stand in a certificate as an address: a name of a machine can't.
bool is_ip_address(const std::string& text);

/// A cluster's own CA: signs its nodes' certificates and nothing else. Keys are
/// on P-256, which TLS 1.3 and CAF's OpenSSL both take.
class certificate_authority {
public:
  /// A new one; not a positive `life`: ended already, for tests.
  static result<certificate_authority>
  make(const cluster_id& cluster, std::chrono::hours life = std::chrono::hours{24 * 3'650});
  /// One that was made before.
  static result<certificate_authority> load(certified_key files);
  /// The same one, under the same name and key, from now on for `life`: what it has signed stays
  /// good, and who trusts either certificate trusts all nodes. Its own may have ended.
  [[nodiscard]] result<certificate_authority> renewed(std::chrono::hours life
                                                      = std::chrono::hours{24 * 3'650}) const;

  [[nodiscard]] const certified_key& files() const { return files_; }

  /// A new key and a certificate for it.
  [[nodiscard]] result<certified_key> issue(const certificate_request& request) const;
  /// A certificate, in PEM, for a key that somebody else has; `public_key` is in PEM.
  [[nodiscard]] result<std::string> certify(const certificate_request& request,
                                            std::string_view public_key) const;
  /// A new key, and a certificate for it that names whom `certificate` names: node,
  /// roles and addresses. Fails unless this CA has signed that one; it may have ended.
  [[nodiscard]] result<certified_key> renew(std::string_view certificate) const;

private:
  explicit certificate_authority(certified_key files) : files_{std::move(files)} {
    // nop
  }

  certified_key files_;
};

} // namespace novacron
