#include "test_authority.hpp"

#include <cstdio>
#include <cstdlib>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace novacron::testing {

namespace {

void require(bool good, const char* what) {
  if (!good)
    throw std::runtime_error{what};
}

std::shared_ptr<evp_pkey_st> new_key() {
  std::shared_ptr<EVP_PKEY> key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  require(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int name, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, name, value.c_str());
  require(extension != nullptr, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::shared_ptr<x509_st> new_certificate(const std::string& name, EVP_PKEY* key) {
  std::shared_ptr<X509> x{X509_new(), X509_free};
  static long serial = 1;
  X509_set_version(x.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
  X509_set_pubkey(x.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return x;
}

template <class Write>
void write_file(const std::filesystem::path& path, Write write) {
  auto* file = std::fopen(path.c_str(), "w");
  require(file != nullptr, path.c_str());
  write(file);
  std::fclose(file);
}

} // namespace

temporary_folder::temporary_folder() {
  auto name = (std::filesystem::temp_directory_path() / "novacron-XXXXXX").native();
  require(::mkdtemp(name.data()) != nullptr, "mkdtemp");
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

test_authority::test_authority()
    : key_{new_key()}, certificate_{new_certificate("CA", key_.get())} {
  X509_set_issuer_name(certificate_.get(), X509_get_subject_name(certificate_.get()));
  add_extension(certificate_.get(), certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0, "sign");
  write_file(folder_ / "ca.pem", [&](FILE* f) { PEM_write_X509(f, certificate_.get()); });
}

tls_files test_authority::issue(const std::vector<std::string>& uris) const {
  static int count = 0;
  const auto name = "node-" + std::to_string(count++);
  const auto key = new_key();
  const auto certificate = new_certificate(name, key.get());
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  std::string names;
  for (const auto& uri : uris)
    names += (names.empty() ? "URI:" : ",URI:") + uri;
  if (!names.empty())
    add_extension(certificate.get(), certificate_.get(), NID_subject_alt_name, names);
  require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0, "sign");
  const tls_files files{folder_ / (name + ".pem"), folder_ / (name + ".key"), folder_ / "ca.pem"};
  write_file(files.certificate, [&](FILE* f) { PEM_write_X509(f, certificate.get()); });
  write_file(files.key, [&](FILE* f) {
    PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

tls_files test_authority::issue(const node_id& node) const {
  return issue({"novacron:node:" + to_string(node), "novacron:role:host"});
}

} // namespace novacron::testing
