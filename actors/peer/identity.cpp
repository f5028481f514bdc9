#include "actors/peer/identity.hpp"

#include "actors/peer/openssl_handles.hpp"
#include "messages/names.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr int max_names = 64; ///< of a SAN that we look at

failure not_a_certificate() {
  ERR_clear_error();
  return make_failure(identity_errc::malformed,
                      "not a certificate in PEM: make one with `novacron cluster init`");
}

failure not_a_key() {
  ERR_clear_error();
  return make_failure(identity_errc::malformed,
                      "not a private key in PEM without a passphrase: make one with `novacron "
                      "cluster init`");
}

failure nameless(const std::string& why) {
  return make_failure(identity_errc::nameless, "the certificate names no node: " + why
                                                   + "; make one with `novacron cluster init`");
}

std::vector<std::string_view> uris_of(const GENERAL_NAMES* names) {
  std::vector<std::string_view> uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < max_names; ++i) {
    const auto* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI)
      continue;
    const auto* text = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<size_t>(ASN1_STRING_length(text)));
  }
  return uris;
}

const unsigned char* octets(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

} // namespace

bool node_identity::has(node_role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

result<node_identity> identity_of(std::string_view certificate) {
  auto owner = read_certificate(certificate);
  if (!owner)
    return not_a_certificate();
  names_handle names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(owner.get(), NID_subject_alt_name, nullptr, nullptr))};
  if (!names)
    return nameless("it has no subject alternative names");
  node_identity identity;
  for (auto uri : uris_of(names.get())) {
    if (uri.starts_with(node_uri)) {
      auto node = parse_uuid(uri.substr(node_uri.size()));
      if (!node || node->nil())
        return nameless("a node's URI holds no uuid");
      if (!identity.node.nil())
        return nameless("it holds two nodes");
      identity.node.value = *node;
    } else if (uri.starts_with(role_uri)) {
      auto role = parse<node_role>(uri.substr(role_uri.size()));
      if (!role)
        return nameless("it holds an unknown role");
      if (!identity.has(*role))
        identity.roles.push_back(*role);
    }
  }
  if (identity.node.nil())
    return nameless("no URI " + std::string{node_uri} + "<uuid>");
  if (identity.roles.empty())
    return nameless("no URI " + std::string{role_uri} + "<role>");
  std::sort(identity.roles.begin(), identity.roles.end());
  return identity;
}

result<void> verify_with_authority(std::string_view certificate, std::string_view authority) {
  auto owner = read_certificate(certificate);
  auto issuer = read_certificate(authority);
  if (!owner || !issuer)
    return not_a_certificate();
  trust_handle trust{X509_STORE_new()};
  trust_check_handle check{X509_STORE_CTX_new()};
  if (!trust || !check || X509_STORE_add_cert(trust.get(), issuer.get()) != 1
      || X509_STORE_CTX_init(check.get(), trust.get(), owner.get(), nullptr) != 1)
    return make_failure(identity_errc::unusable, "cannot check a certificate: " + openssl_words());
  if (X509_verify_cert(check.get()) == 1)
    return {};
  ERR_clear_error();
  const auto why = X509_STORE_CTX_get_error(check.get());
  const std::string words = X509_verify_cert_error_string(why);
  if (why == X509_V_ERR_CERT_HAS_EXPIRED || why == X509_V_ERR_CERT_NOT_YET_VALID) {
    if (X509_STORE_CTX_get_error_depth(check.get()) > 0)
      return make_failure(identity_errc::expired,
                          "the CA's " + words
                              + ": check this machine's clock; a cluster doesn't "
                                "outlive its CA");
    return make_failure(identity_errc::expired,
                        words
                            + ": check this machine's clock, or renew it with `novacron cluster "
                              "renew`");
  }
  return make_failure(identity_errc::untrusted,
                      "not signed by the cluster's CA (" + words
                          + "): use certificates of one `novacron cluster init`");
}

result<void> verify_key(std::string_view certificate, std::string_view key) {
  auto owner = read_certificate(certificate);
  if (!owner)
    return not_a_certificate();
  auto own = read_key(key);
  if (!own)
    return not_a_key();
  if (X509_check_private_key(owner.get(), own.get()) == 1)
    return {};
  ERR_clear_error();
  return make_failure(identity_errc::forged, "the key is not the certificate's: name the pair that "
                                             "`novacron cluster init` made together");
}

result<std::vector<std::byte>> sign(std::string_view key, std::span<const std::byte> bytes) {
  auto own = read_key(key);
  if (!own)
    return not_a_key();
  digest_handle digest{EVP_MD_CTX_new()};
  size_t size = 0;
  if (!digest
      || EVP_DigestSignInit_ex(digest.get(), nullptr, "SHA256", nullptr, nullptr, own.get(),
                               nullptr)
             != 1
      || EVP_DigestSign(digest.get(), nullptr, &size, octets(bytes), bytes.size()) != 1)
    return make_failure(identity_errc::unusable, "cannot sign: " + openssl_words());
  std::vector<std::byte> signature(size);
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     octets(bytes), bytes.size())
      != 1)
    return make_failure(identity_errc::unusable, "cannot sign: " + openssl_words());
  signature.resize(size);
  return signature;
}

result<void> verify(std::string_view certificate, std::span<const std::byte> bytes,
                    std::span<const std::byte> signature) {
  auto owner = read_certificate(certificate);
  if (!owner)
    return not_a_certificate();
  digest_handle digest{EVP_MD_CTX_new()};
  if (!digest
      || EVP_DigestVerifyInit_ex(digest.get(), nullptr, "SHA256", nullptr, nullptr,
                                 X509_get0_pubkey(owner.get()), nullptr)
             != 1)
    return make_failure(identity_errc::unusable, "cannot check a signature: " + openssl_words());
  if (EVP_DigestVerify(digest.get(), octets(signature), signature.size(), octets(bytes),
                       bytes.size())
      == 1)
    return {};
  ERR_clear_error();
  return make_failure(identity_errc::forged, "the signature is not that of the certificate's key");
}

} // namespace novacron
