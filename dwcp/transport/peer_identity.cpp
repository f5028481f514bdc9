#include "dwcp/transport/peer_identity.hpp"

#include <memory>
#include <openssl/x509v3.h>
#include <string_view>

namespace novacron {

namespace {

constexpr std::string_view node_prefix = "novacron:node:";
constexpr std::string_view role_prefix = "novacron:role:";

struct names_deleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string_view uri_of(const GENERAL_NAME* name) {
  int type = 0;
  const auto* text = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(name, &type));
  if (type != GEN_URI)
    return {};
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

} // namespace

std::optional<peer_identity> identity_of(const x509_st* certificate) {
  const std::unique_ptr<GENERAL_NAMES, names_deleter> names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  if (!names)
    return std::nullopt;
  peer_identity identity;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto uri = uri_of(sk_GENERAL_NAME_value(names.get(), i));
    if (uri.starts_with(role_prefix))
      identity.roles.emplace_back(uri.substr(role_prefix.size()));
    if (!uri.starts_with(node_prefix))
      continue;
    const auto node = parse_uuid(uri.substr(node_prefix.size()));
    if (!node || node->nil() || !identity.node.nil())
      return std::nullopt;
    identity.node.value = *node;
  }
  if (identity.node.nil())
    return std::nullopt;
  return identity;
}

} // namespace novacron
