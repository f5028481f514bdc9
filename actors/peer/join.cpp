#include "actors/peer/join.hpp"

#include "actors/peer/identity.hpp"
#include "actors/peer/openssl_handles.hpp"
#include "messages/big_endian.hpp"

#include <algorithm>
#include <openssl/rand.h>

namespace novacron {

namespace {

constexpr std::string_view prefix = "novacron-join-1.";
constexpr std::string_view request_context = "novacron join request 1";
constexpr std::string_view answer_context = "novacron join answer 1";

failure malformed(const std::string& what) {
  return make_failure(identity_errc::malformed, what);
}

const unsigned char* octets(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// With its length, so that no two texts run into each other.
void put(std::vector<std::byte>& out, std::string_view text) {
  put_big_endian(out, static_cast<uint32_t>(text.size()));
  put_text(out, text);
}

void put(std::vector<std::byte>& out, const uuid& id) {
  put_big_endian(out, id.high);
  put_big_endian(out, id.low);
}

result<std::array<std::byte, 32>> fingerprint_of(std::string_view pem) {
  auto certificate = read_certificate(pem);
  std::array<std::byte, 32> out{};
  unsigned int size = out.size();
  if (!certificate
      || X509_digest(certificate.get(), EVP_sha256(), reinterpret_cast<unsigned char*>(out.data()),
                     &size)
             != 1)
    return malformed("the CA's certificate cannot be read");
  return out;
}

key_handle private_key_of(const join_token& token) {
  return key_handle{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(token.secret),
                                                 token.secret.size())};
}

bool read_hex(std::string_view text, std::array<std::byte, 32>& out) {
  const auto bytes = from_hex(text);
  if (bytes.size() != out.size())
    return false;
  std::ranges::copy(bytes, out.begin());
  return true;
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<size_t>(size)};
}

} // namespace

std::string hex_of(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto each : bytes) {
    text += digits[static_cast<size_t>(each) >> 4];
    text += digits[static_cast<size_t>(each) & 15];
  }
  return text;
}

std::vector<std::byte> from_hex(std::string_view text) {
  auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text.size() % 2 != 0)
    return {};
  std::vector<std::byte> out;
  for (size_t i = 0; i < text.size(); i += 2) {
    const auto high = digit(text[i]);
    const auto low = digit(text[i + 1]);
    if (high < 0 || low < 0)
      return {};
    out.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return out;
}

result<join_token> draw_join_token(token_id id, std::string_view authority_pem) {
  auto authority = fingerprint_of(authority_pem);
  if (!authority)
    return authority.error();
  join_token token{id, {}, *authority};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(token.secret.data()),
                 static_cast<int>(token.secret.size()))
      != 1)
    return make_failure(identity_errc::unusable, "cannot make a token: no random numbers");
  return token;
}

std::string to_text(const join_token& token) {
  return std::string{prefix} + to_string(token.id) + '.' + hex_of(token.secret) + '.'
         + hex_of(token.authority);
}

result<join_token> parse_join_token(std::string_view text) {
  const auto bad = malformed("that is no token to join with: copy all of what `novacron cluster "
                             "token` printed");
  if (!text.starts_with(prefix))
    return bad;
  text.remove_prefix(prefix.size());
  const auto first = text.find('.');
  const auto second = first == text.npos ? text.npos : text.find('.', first + 1);
  if (second == text.npos)
    return bad;
  join_token token;
  const auto id = parse_uuid(text.substr(0, first));
  if (!id || !read_hex(text.substr(first + 1, second - first - 1), token.secret)
      || !read_hex(text.substr(second + 1), token.authority))
    return bad;
  token.id.value = *id;
  return token;
}

std::array<std::byte, 32> public_key_of(const join_token& token) {
  std::array<std::byte, 32> out{};
  size_t size = out.size();
  if (auto key = private_key_of(token))
    EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

std::vector<std::byte> join_request::text() const {
  std::vector<std::byte> out;
  put(out, request_context);
  put(out, token.value);
  put(out, node.value);
  put(out, name);
  put(out, mesh_address);
  put(out, public_key);
  return out;
}

std::vector<std::byte> join_answer::text(const join_request& request) const {
  std::vector<std::byte> out;
  put(out, answer_context);
  const auto asked = request.text();
  out.insert(out.end(), asked.begin(), asked.end());
  put(out, certificate);
  put(out, authority);
  put(out, cluster);
  for (const auto& each : controllers)
    put(out, each);
  return out;
}

result<std::vector<std::byte>> sign_join(const join_token& token, const join_request& request) {
  auto key = private_key_of(token);
  digest_handle digest{EVP_MD_CTX_new()};
  const auto text = request.text();
  std::vector<std::byte> signature(64);
  auto size = signature.size();
  if (!key || !digest || EVP_DigestSignInit(digest.get(), nullptr, nullptr, nullptr, key.get()) != 1
      || EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                        octets(text), text.size())
             != 1)
    return make_failure(identity_errc::unusable, "cannot sign: " + openssl_words());
  signature.resize(size);
  return signature;
}

result<void> verify_join(std::span<const std::byte, 32> key, const join_request& request,
                         std::span<const std::byte> signature) {
  key_handle handle{
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(key), key.size())};
  digest_handle digest{EVP_MD_CTX_new()};
  const auto text = request.text();
  if (handle && digest
      && EVP_DigestVerifyInit(digest.get(), nullptr, nullptr, nullptr, handle.get()) == 1
      && EVP_DigestVerify(digest.get(), octets(signature), signature.size(), octets(text),
                          text.size())
             == 1)
    return {};
  ERR_clear_error();
  return make_failure(identity_errc::forged, "the signature is not the token's");
}

result<void> check_answer(const join_token& token, const join_request& request,
                          const join_answer& answer, std::string_view key_pem,
                          std::span<const std::byte> signature) {
  auto fingerprint = fingerprint_of(answer.authority);
  if (!fingerprint)
    return fingerprint.error();
  if (*fingerprint != token.authority)
    return make_failure(identity_errc::untrusted,
                        "who answered is not of the cluster that the token is for: look at the "
                        "address, and who else may have answered there");
  if (auto good = verify(answer.authority, answer.text(request), signature); !good)
    return good;
  if (auto good = verify_with_authority(answer.certificate, answer.authority); !good)
    return good;
  if (auto good = verify_key(answer.certificate, key_pem); !good)
    return good;
  auto owner = identity_of(answer.certificate);
  if (!owner)
    return owner.error();
  if (owner->node != request.node)
    return make_failure(identity_errc::forged, "the certificate is another node's");
  return {};
}

result<key_pair> draw_key_pair() {
  key_handle key{EVP_EC_gen("P-256")};
  bio_handle secret{BIO_new(BIO_s_secmem())};
  bio_handle open{BIO_new(BIO_s_mem())};
  if (!key || !secret || !open
      || PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr)
             != 1
      || PEM_write_bio_PUBKEY(open.get(), key.get()) != 1)
    return make_failure(identity_errc::unusable, "cannot make a key: " + openssl_words());
  return key_pair{text_of(secret.get()), text_of(open.get())};
}

} // namespace novacron
