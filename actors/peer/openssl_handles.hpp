#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>
#include <string_view>

namespace novacron {

/// Frees what `Free` frees; for the handles of OpenSSL's C interface.
template <auto Free>
struct openssl_free {
  template <class T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

using bio_handle = std::unique_ptr<BIO, openssl_free<BIO_free_all>>;
using certificate_handle = std::unique_ptr<X509, openssl_free<X509_free>>;
using key_handle = std::unique_ptr<EVP_PKEY, openssl_free<EVP_PKEY_free>>;
using digest_handle = std::unique_ptr<EVP_MD_CTX, openssl_free<EVP_MD_CTX_free>>;
using trust_handle = std::unique_ptr<X509_STORE, openssl_free<X509_STORE_free>>;
using trust_check_handle = std::unique_ptr<X509_STORE_CTX, openssl_free<X509_STORE_CTX_free>>;
using names_handle = std::unique_ptr<GENERAL_NAMES, openssl_free<GENERAL_NAMES_free>>;
using extension_handle = std::unique_ptr<X509_EXTENSION, openssl_free<X509_EXTENSION_free>>;

/// No certificate or key of ours is near this size; more is refused unread.
inline constexpr size_t max_pem_bytes = 65'536;

/// A view of `text` that OpenSSL can read; `text` must outlive it.
inline bio_handle reader_of(std::string_view text) {
  return bio_handle{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

/// Keeps OpenSSL from asking the terminal for a passphrase.
inline int no_passphrase(char*, int, int, void*) {
  return -1;
}

/// The first certificate in `pem`; null when there is none. A fuller answer is
/// `identity_of`'s.
inline certificate_handle read_certificate(std::string_view pem) {
  if (pem.size() > max_pem_bytes)
    return {};
  auto reader = reader_of(pem);
  return certificate_handle{
      reader ? PEM_read_bio_X509(reader.get(), nullptr, no_passphrase, nullptr) : nullptr};
}

/// The private key in `pem`; null when there is none.
inline key_handle read_key(std::string_view pem) {
  if (pem.size() > max_pem_bytes)
    return {};
  auto reader = reader_of(pem);
  return key_handle{reader ? PEM_read_bio_PrivateKey(reader.get(), nullptr, no_passphrase, nullptr)
                           : nullptr};
}

/// The latest word of OpenSSL on this thread; empties its queue of errors.
inline std::string openssl_words() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0)
    return "no reason given";
  const auto* words = ERR_reason_error_string(code);
  return words ? words : "error " + std::to_string(code);
}

} // namespace novacron
