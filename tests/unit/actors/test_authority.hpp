#pragma once

#include "actors/peer/identity.hpp"
#include "actors/peer/openssl_handles.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace novacron {

/// A folder that is gone with its owner.
class scratch_folder {
public:
  scratch_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "novacron-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw std::runtime_error{"no folder for tests"};
    path_ = pattern;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Writes a file and yields its path.
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    auto file = path_ / name;
    std::ofstream{file, std::ios::binary} << text;
    return file;
  }

private:
  std::filesystem::path path_;
};

/// A certificate authority that lives as long as a test, and signs what the test
/// asks it to, also what `novacron cluster init` never would.
class test_authority {
public:
  struct pair {
    std::string certificate;
    std::string key;
  };

  test_authority() : key_{EVP_EC_gen("P-256")}, own_{draft("test authority", key_.get())} {
    X509_set_issuer_name(own_.get(), X509_get_subject_name(own_.get()));
    extend(own_.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(own_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(own_.get(), key_.get(), EVP_sha256());
  }

  [[nodiscard]] std::string certificate() const { return pem(own_.get()); }
  [[nodiscard]] std::string key() const { return pem(key_.get()); }

  [[nodiscard]] pair issue(node_id node, const std::vector<node_role>& roles) const {
    auto names = "URI:" + std::string{node_uri} + to_string(node);
    for (auto role : roles)
      names += ",URI:" + std::string{role_uri} + to_string(role);
    return issue(names);
  }

  /// With these subject alternative names, as OpenSSL writes them.
  [[nodiscard]] pair issue(const std::string& names) const {
    key_handle key{EVP_EC_gen("P-256")};
    auto x = draft("test node", key.get());
    X509_set_issuer_name(x.get(), X509_get_subject_name(own_.get()));
    extend(x.get(), NID_subject_alt_name, names);
    X509_sign(x.get(), key_.get(), EVP_sha256());
    return {pem(x.get()), pem(key.get())};
  }

private:
  static certificate_handle draft(const char* name, EVP_PKEY* key) {
    static long serial = 0;
    certificate_handle x{X509_new()};
    X509_set_version(x.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), 3'600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_pubkey(x.get(), key);
    return x;
  }

  static void extend(X509* x, int kind, const std::string& value) {
    extension_handle extension{X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str())};
    X509_add_ext(x, extension.get(), -1);
  }

  static std::string text_of(BIO* bio) {
    char* data = nullptr;
    auto size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<size_t>(size)};
  }

  static std::string pem(X509* x) {
    bio_handle bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_X509(bio.get(), x);
    return text_of(bio.get());
  }

  static std::string pem(EVP_PKEY* key) {
    bio_handle bio{BIO_new(BIO_s_mem())};
    PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio.get());
  }

  key_handle key_;
  certificate_handle own_;
};

} // namespace novacron
