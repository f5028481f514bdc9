#include "runtime/certificates/own_certificate.hpp"

#include "runtime/certificates/secret_file.hpp"
#include "runtime/errors.hpp"

namespace novacron {

namespace {

failure in_file(const std::filesystem::path& file, const failure& why) {
  return make_failure(runtime_errc::certificate, file.string() + ": " + why.message);
}

} // namespace

result<node_identity> check_own_certificate(const node_config& config) {
  auto certificate = read_small_file(config.tls.certificate, "the node's certificate");
  if (!certificate)
    return certificate.error();
  auto key = read_small_file(config.tls.key, "the node's key");
  if (!key)
    return key.error();
  auto authority = read_small_file(config.tls.authority, "the CA's certificate");
  if (!authority)
    return authority.error();
  if (auto trusted = verify_with_authority(*certificate, *authority); !trusted)
    return in_file(config.tls.certificate, trusted.error());
  if (auto own = verify_key(*certificate, *key); !own)
    return in_file(config.tls.key, own.error());
  auto identity = identity_of(*certificate);
  if (!identity)
    return in_file(config.tls.certificate, identity.error());
  if (!config.id.nil() && config.id != identity->node)
    return make_failure(runtime_errc::certificate,
                        config.tls.certificate.string() + ": belongs to node "
                            + to_string(identity->node) + ", but node.uuid is "
                            + to_string(config.id) + "; drop node.uuid or take the node's own");
  for (auto role : config.roles)
    if (!identity->has(role))
      return make_failure(runtime_errc::certificate,
                          config.tls.certificate.string() + ": doesn't allow the role "
                              + to_string(role)
                              + "; drop it from node.roles or issue another certificate");
  return identity;
}

result<cluster_id> read_cluster_id(const std::filesystem::path& file) {
  auto text = read_small_file(file, "the cluster's id");
  if (!text)
    return text.error();
  const auto value = parse_uuid(text->substr(0, text->find_last_not_of(" \r\n\t") + 1));
  if (!value || value->nil())
    return make_failure(runtime_errc::configuration,
                        file.string() + ": holds no uuid; `novacron cluster init` makes this file");
  return cluster_id{*value};
}

} // namespace novacron
