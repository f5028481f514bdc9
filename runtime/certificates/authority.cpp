#include "runtime/certificates/authority.hpp"

#include "actors/peer/identity.hpp"
#include "actors/peer/openssl_handles.hpp"
#include "runtime/errors.hpp"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/rand.h>

namespace novacron {

namespace {

using number_handle = std::unique_ptr<BIGNUM, openssl_free<BN_free>>;

constexpr long clock_skew_seconds = 300; ///< certificates begin so much earlier
constexpr int serial_bits = 127;

failure refused(const std::string& what) {
  return make_failure(runtime_errc::certificate, "cannot " + what + ": " + openssl_words());
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<size_t>(size)};
}

std::string pem_of(X509* certificate) {
  bio_handle memory{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(memory.get(), certificate);
  return text_of(memory.get());
}

std::string pem_of(EVP_PKEY* key) {
  bio_handle memory{BIO_new(BIO_s_secmem())};
  PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(memory.get());
}

bool set_random_serial(X509* certificate) {
  number_handle serial{BN_new()};
  return serial && BN_rand(serial.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1
         && BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate));
}

bool add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  extension_handle extension{X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

/// An unsigned certificate of `key` with everything but a name and extensions.
certificate_handle draft(EVP_PKEY* key, std::chrono::hours life) {
  certificate_handle x{X509_new()};
  if (!x)
    return {};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(life).count();
  const auto begin = std::min<long>(-clock_skew_seconds, seconds - clock_skew_seconds);
  const bool good = X509_set_version(x.get(), X509_VERSION_3) == 1 && set_random_serial(x.get())
                    && X509_gmtime_adj(X509_getm_notBefore(x.get()), begin)
                    && X509_gmtime_adj(X509_getm_notAfter(x.get()), seconds)
                    && X509_set_pubkey(x.get(), key) == 1;
  return good ? std::move(x) : certificate_handle{};
}

bool add_common_name(X509* certificate, const std::string& name) {
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0)
         == 1;
}

std::string subject_names(const certificate_request& request) {
  auto names = "URI:" + std::string{node_uri} + to_string(request.node);
  for (auto role : request.roles)
    names += ",URI:" + std::string{role_uri} + to_string(role);
  names += ",DNS:localhost";
  for (const auto& address : request.addresses)
    names += ",IP:" + address;
  return names;
}

} // namespace

bool is_ip_address(const std::string& text) {
  in6_addr any{};
  return ::inet_pton(AF_INET, text.c_str(), &any) == 1
         || ::inet_pton(AF_INET6, text.c_str(), &any) == 1;
}

namespace {

/// Makes `x`, which says whose it is, a CA's own certificate. False, and OpenSSL has the words,
/// when it can't be signed.
bool sign_itself(X509* x, EVP_PKEY* key) {
  return X509_set_issuer_name(x, X509_get_subject_name(x)) == 1
         && add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
         && add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign")
         && add_extension(x, x, NID_subject_key_identifier, "hash")
         && X509_sign(x, key, EVP_sha256()) != 0;
}

} // namespace

result<certificate_authority> certificate_authority::make(const cluster_id& cluster,
                                                          std::chrono::hours life) {
  key_handle key{EVP_EC_gen("P-256")};
  if (!key)
    return refused("make the CA's key");
  // A common name has at most 64 letters (RFC 5280, appendix A.1).
  auto own = draft(key.get(), life);
  if (!own || !add_common_name(own.get(), "novacron " + to_string(cluster))
      || !sign_itself(own.get(), key.get()))
    return refused("make the CA's certificate");
  return certificate_authority{{pem_of(own.get()), pem_of(key.get())}};
}

result<certificate_authority> certificate_authority::load(certified_key files) {
  if (auto own = verify_key(files.certificate, files.key); !own)
    return make_failure(runtime_errc::certificate, "the CA's files: " + own.error().message);
  return certificate_authority{std::move(files)};
}

result<certificate_authority> certificate_authority::renewed(std::chrono::hours life) const {
  auto old = read_certificate(files_.certificate);
  auto key = read_key(files_.key);
  auto own = old && key ? draft(key.get(), life) : certificate_handle{};
  if (!own || X509_set_subject_name(own.get(), X509_get_subject_name(old.get())) != 1
      || !sign_itself(own.get(), key.get()))
    return refused("renew the CA's certificate");
  return certificate_authority{{pem_of(own.get()), files_.key}};
}

namespace {

/// Makes `x`, which says whose it is, a node's certificate. False, and OpenSSL has the
/// words, when it can't be signed.
bool sign_for_node(X509* x, const certified_key& authority) {
  auto issuer = read_certificate(authority.certificate);
  auto issuer_key = read_key(authority.key);
  return issuer && issuer_key && X509_set_issuer_name(x, X509_get_subject_name(issuer.get())) == 1
         && add_extension(x, issuer.get(), NID_basic_constraints, "critical,CA:FALSE")
         && add_extension(x, issuer.get(), NID_key_usage, "critical,digitalSignature")
         && add_extension(x, issuer.get(), NID_ext_key_usage, "serverAuth,clientAuth")
         && add_extension(x, issuer.get(), NID_subject_key_identifier, "hash")
         && add_extension(x, issuer.get(), NID_authority_key_identifier, "keyid:always")
         && X509_sign(x, issuer_key.get(), EVP_sha256()) != 0;
}

/// Null, and OpenSSL has the words, when it can't be signed.
certificate_handle certificate_for(EVP_PKEY* key, const certificate_request& request,
                                   const certified_key& authority) {
  auto x = draft(key, request.valid_for);
  if (!x || !add_common_name(x.get(), request.name)
      || !add_extension(x.get(), nullptr, NID_subject_alt_name, subject_names(request))
      || !sign_for_node(x.get(), authority))
    return {};
  return x;
}

/// The subject and its alternative names, as `from` has them.
bool copy_names(X509* to, const X509* from) {
  const auto where = X509_get_ext_by_NID(from, NID_subject_alt_name, -1);
  return where >= 0 && X509_add_ext(to, X509_get_ext(from, where), -1) == 1
         && X509_set_subject_name(to, X509_get_subject_name(from)) == 1;
}

} // namespace

result<certified_key> certificate_authority::issue(const certificate_request& request) const {
  key_handle key{EVP_EC_gen("P-256")};
  if (!key)
    return refused("make a key for " + request.name);
  auto x = certificate_for(key.get(), request, files_);
  if (!x)
    return refused("make a certificate for " + request.name);
  return certified_key{pem_of(x.get()), pem_of(key.get())};
}

result<std::string> certificate_authority::certify(const certificate_request& request,
                                                   std::string_view public_key) const {
  auto reader = reader_of(public_key);
  key_handle key{reader ? PEM_read_bio_PUBKEY(reader.get(), nullptr, no_passphrase, nullptr)
                        : nullptr};
  if (!key || EVP_PKEY_is_a(key.get(), "EC") != 1)
    return refused("read the key for " + request.name + ", which must be on P-256");
  auto x = certificate_for(key.get(), request, files_);
  if (!x)
    return refused("make a certificate for " + request.name);
  return pem_of(x.get());
}

result<certified_key> certificate_authority::renew(std::string_view certificate) const {
  auto old = read_certificate(certificate);
  auto issuer = read_certificate(files_.certificate);
  if (!old || !issuer || X509_verify(old.get(), X509_get0_pubkey(issuer.get())) != 1) {
    ERR_clear_error();
    return make_failure(runtime_errc::certificate, "not signed by this CA");
  }
  key_handle key{EVP_EC_gen("P-256")};
  auto x = key ? draft(key.get(), certificate_request{}.valid_for) : certificate_handle{};
  if (!x || !copy_names(x.get(), old.get()) || !sign_for_node(x.get(), files_))
    return refused("renew a certificate");
  return certified_key{pem_of(x.get()), pem_of(key.get())};
}

} // namespace novacron
