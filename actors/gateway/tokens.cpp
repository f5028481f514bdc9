#include "actors/gateway/tokens.hpp"

#include "actors/gateway/errors.hpp"

#include <charconv>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdexcept>
#include <strings.h>

namespace novacron {

namespace {

struct free_context {
  void operator()(EVP_MD_CTX* x) const { ::EVP_MD_CTX_free(x); }
};

class sha256 {
public:
  sha256() : context_{::EVP_MD_CTX_new()} {
    check(context_ && ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr) == 1);
  }

  void add(std::string_view bytes) {
    check(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }

  sha256_digest end() {
    sha256_digest digest;
    unsigned size = 0;
    check(
        ::EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &size)
            == 1
        && size == digest.size());
    return digest;
  }

private:
  static void check(bool ok) {
    if (!ok)
      throw std::runtime_error{"OpenSSL refuses SHA-256"};
  }

  std::unique_ptr<EVP_MD_CTX, free_context> context_;
};

sha256_digest sha256_of(std::string_view text) {
  sha256 hash;
  hash.add(text);
  return hash.end();
}

std::optional<sha256_digest> digest_from_hex(std::string_view text) {
  sha256_digest digest;
  if (text.size() != 2 * digest.size())
    return std::nullopt;
  for (size_t i = 0; i < digest.size(); ++i) {
    unsigned x = 0;
    auto* begin = text.data() + 2 * i;
    auto [end, error] = std::from_chars(begin, begin + 2, x, 16);
    if (error != std::errc{} || end != begin + 2)
      return std::nullopt;
    digest[i] = static_cast<std::byte>(x);
  }
  return digest;
}

} // namespace

sha256_digest digest_of(std::span<const std::string_view> parts) {
  sha256 hash;
  for (auto part : parts) {
    hash.add(std::to_string(part.size()) + ':');
    hash.add(part);
  }
  return hash.end();
}

std::string sha256_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (auto byte : sha256_of(text)) {
    result += digits[std::to_integer<size_t>(byte >> 4)];
    result += digits[std::to_integer<size_t>(byte & std::byte{0xF})];
  }
  return result;
}

result<token_table> token_table::make(const std::vector<api_token>& tokens) {
  token_table table;
  for (const auto& each : tokens) {
    auto hash = digest_from_hex(each.sha256);
    if (!hash || each.principal.empty())
      return make_failure(gateway_errc::bad_token_hash,
                          "gateway: the token of \"" + each.principal
                              + "\" needs a principal and a sha256 of 64 hexadecimal digits; make "
                                "one with: printf %s TOKEN | sha256sum");
    table.entries_.push_back({each.principal, *hash});
  }
  return table;
}

std::optional<std::string> token_table::principal(std::string_view authorization) const {
  constexpr std::string_view scheme = "Bearer ";
  if (authorization.size() <= scheme.size()
      || ::strncasecmp(authorization.data(), scheme.data(), scheme.size()) != 0)
    return std::nullopt;
  auto shown = sha256_of(authorization.substr(scheme.size()));
  const entry* found = nullptr;
  for (const auto& each : entries_)
    if (::CRYPTO_memcmp(each.hash.data(), shown.data(), shown.size()) == 0)
      found = &each;
  if (found == nullptr)
    return std::nullopt;
  return found->principal;
}

} // namespace novacron
