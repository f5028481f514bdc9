#pragma once

#include "messages/ids.hpp"

#include <optional>
#include <string>
#include <vector>

struct x509_st;

namespace novacron {

/// Who a certificate says that its holder is, by the URIs of its subject
/// alternative name: `novacron:node:<uuid>`, once, and `novacron:role:<role>`.
struct peer_identity {
  node_id node;
  std::vector<std::string> roles;
};

/// Nothing when the certificate names no node, or more than one.
std::optional<peer_identity> identity_of(const x509_st* certificate);

} // namespace novacron
