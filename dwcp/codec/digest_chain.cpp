#include "dwcp/codec/digest_chain.hpp"

#include <new>
#include <openssl/evp.h>

namespace novacron {

namespace {

/// SHA-256 on memory can only fail for want of memory.
void require(int success) {
  if (success != 1)
    throw std::bad_alloc{};
}

} // namespace

void digest_chain::context_deleter::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

digest_chain::digest_chain(const chain_value& start) : context_{EVP_MD_CTX_new()}, value_{start} {
  require(context_ ? 1 : 0);
  restart();
}

void digest_chain::add(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

const chain_value& digest_chain::seal() {
  require(
      EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(value_.data()), nullptr));
  restart();
  return value_;
}

void digest_chain::restart() {
  require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
  add(value_);
}

chain_value digest_of(std::span<const std::byte> bytes) {
  chain_value value;
  require(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(value.data()),
                     nullptr, EVP_sha256(), nullptr));
  return value;
}

} // namespace novacron
