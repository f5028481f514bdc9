#include "storage/consensus/raft_configuration.hpp"

#include <algorithm>
#include <new>

namespace novacron {

namespace {

void sort_by_id(membership& members) {
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
}

} // namespace

bool raft_membership::decode(std::span<const std::byte> bytes) {
  raft_configuration_close(&value_);
  raft_configuration_init(&value_);
  // libraft only reads from it.
  raft_buffer buffer{const_cast<std::byte*>(bytes.data()), bytes.size()};
  return raft_configuration_decode(&buffer, &value_) == 0;
}

void raft_membership::add(const raft_member& member) {
  const auto role = member.role == member_role::voter ? RAFT_VOTER : RAFT_STANDBY;
  if (raft_configuration_add(&value_, member.id, member.address.c_str(), role) != 0)
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

membership raft_membership::members() const {
  return members_of(value_);
}

raft_configuration raft_membership::release() {
  auto value = value_;
  raft_configuration_init(&value_);
  return value;
}

membership members_of(const raft_configuration& value) {
  membership members;
  for (unsigned i = 0; i < value.n; ++i) {
    const auto& each = value.servers[i];
    members.push_back({each.id, each.address,
                       each.role == RAFT_VOTER ? member_role::voter : member_role::standby});
  }
  sort_by_id(members);
  return members;
}

const raft_member* find_member(const membership& in, uint64_t id) {
  auto found = std::find_if(in.begin(), in.end(), [&](const auto& x) { return x.id == id; });
  return found == in.end() ? nullptr : &*found;
}

size_t count_voters(const membership& in) {
  return static_cast<size_t>(std::count_if(
      in.begin(), in.end(), [](const auto& x) { return x.role == member_role::voter; }));
}

size_t quorum_of(const membership& in) {
  return count_voters(in) / 2 + 1;
}

log_entry::bytes encode_membership(const membership& members) {
  auto sorted = members;
  sort_by_id(sorted);
  raft_membership value;
  for (const auto& each : sorted)
    value.add(each);
  return value.encode();
}

bool decode_membership(std::span<const std::byte> bytes, membership& into) {
  raft_membership value;
  if (!value.decode(bytes))
    return false;
  into = value.members();
  return true;
}

} // namespace novacron
