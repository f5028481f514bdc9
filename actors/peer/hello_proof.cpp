#include "actors/peer/hello_proof.hpp"

#include "messages/big_endian.hpp"

#include <openssl/rand.h>
#include <stdexcept>

namespace novacron {

namespace {

constexpr std::string_view context = "novacron hello 1";

void put_id(std::vector<std::byte>& out, const uuid& id) {
  put_big_endian(out, id.high);
  put_big_endian(out, id.low);
}

/// With its length, so that no two texts run into each other.
void put_address(std::vector<std::byte>& out, const caf::actor_addr& address) {
  auto text = to_string(address);
  put_big_endian(out, static_cast<uint32_t>(text.size()));
  put_text(out, text);
}

} // namespace

std::vector<std::byte> hello_proof::text() const {
  std::vector<std::byte> out;
  put_text(out, context);
  out.push_back(static_cast<std::byte>(signer));
  out.insert(out.end(), challenge.begin(), challenge.end());
  put_id(out, cluster.value);
  put_id(out, node.value);
  put_address(out, door);
  put_address(out, link);
  return out;
}

nonce random_nonce() {
  nonce out;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(out.size())) != 1)
    throw std::runtime_error{"the operating system gives no random numbers"};
  return out;
}

result<node_identity> check_proof(hello_proof proof, const std::string& certificate,
                                  const std::vector<std::byte>& signature,
                                  const std::string& authority) {
  if (auto trusted = verify_with_authority(certificate, authority); !trusted)
    return trusted.error();
  auto identity = identity_of(certificate);
  if (!identity)
    return identity;
  proof.node = identity->node;
  if (auto signed_by = verify(certificate, proof.text(), signature); !signed_by)
    return signed_by.error();
  return identity;
}

} // namespace novacron
