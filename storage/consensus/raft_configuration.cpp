#include "storage/consensus/raft_configuration.hpp"

#include <new>

namespace novacron {

bool raft_membership::decode(std::span<const std::byte> bytes) {
  raft_configuration_close(&value_);
  raft_configuration_init(&value_);
  // libraft only reads from it.
  raft_buffer buffer{const_cast<std::byte*>(bytes.data()), bytes.size()};
  return raft_configuration_decode(&buffer, &value_) == 0;
}

void raft_membership::add_voter(uint64_t id, const std::string& address) {
  if (raft_configuration_add(&value_, id, address.c_str(), RAFT_VOTER) != 0)
    throw std::bad_alloc{};
}

log_entry::bytes raft_membership::encode() const {
  raft_buffer buffer{};
  if (raft_configuration_encode(&value_, &buffer) != 0)
    throw std::bad_alloc{};
  auto begin = static_cast<const std::byte*>(buffer.base);
  log_entry::bytes bytes{begin, begin + buffer.len};
  raft_free(buffer.base);
  return bytes;
}

raft_configuration raft_membership::release() {
  auto value = value_;
  raft_configuration_init(&value_);
  return value;
}

} // namespace novacron
