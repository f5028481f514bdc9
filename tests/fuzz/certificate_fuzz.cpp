#include "dwcp/transport/peer_identity.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <openssl/x509v3.h>

using namespace novacron;

namespace {

struct deleter {
  void operator()(X509* x) const { X509_free(x); }
  void operator()(GENERAL_NAMES* x) const { GENERAL_NAMES_free(x); }
};

using certificate_handle = std::unique_ptr<X509, deleter>;
using names_handle = std::unique_ptr<GENERAL_NAMES, deleter>;

void check(const X509* certificate) {
  const auto identity = identity_of(certificate);
  if (identity && identity->node.nil())
    std::abort();
}

} // namespace

/// Who a certificate says that its holder is. The bytes are taken for a whole
/// certificate, and for the names of one, which a fuzzer would hardly reach
/// through the former.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto* at = data;
  if (const certificate_handle whole{d2i_X509(nullptr, &at, static_cast<long>(size))})
    check(whole.get());
  at = data;
  const names_handle names{d2i_GENERAL_NAMES(nullptr, &at, static_cast<long>(size))};
  const certificate_handle named{X509_new()};
  if (names && named
      && X509_add1_ext_i2d(named.get(), NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT)
             == 1)
    check(named.get());
  return 0;
}
