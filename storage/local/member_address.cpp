#include "storage/local/member_address.hpp"

#include <charconv>

namespace novacron {

namespace {

/// Finaliser of MurmurHash3 (Austin Appleby, public domain): each bit of the
/// result depends on each of the input.
uint64_t mix(uint64_t x) {
  x = (x ^ x >> 33) * 0xff51afd7ed558ccd;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53;
  return x ^ x >> 33;
}

} // namespace

std::string to_string(const member_address& address) {
  auto text = to_string(address.node);
  if (address.disk == 0)
    return text;
  char digits[16];
  auto end = std::to_chars(digits, digits + sizeof digits, address.disk, 16).ptr;
  return text + '@' + std::string(digits, end);
}

std::optional<member_address> parse_member_address(std::string_view text) {
  member_address address;
  const auto at = text.find('@');
  auto node = parse_uuid(text.substr(0, at));
  if (!node)
    return {};
  address.node.value = *node;
  if (at == std::string_view::npos)
    return address;
  const auto digits = text.substr(at + 1);
  auto [end, error]
      = std::from_chars(digits.data(), digits.data() + digits.size(), address.disk, 16);
  if (error != std::errc{} || end != digits.data() + digits.size() || address.disk == 0)
    return {};
  return address;
}

uint64_t founder_id(node_id node) {
  const auto folded = node.value.high ^ (node.value.low << 1 | node.value.low >> 63);
  return folded == 0 ? 1 : folded;
}

uint64_t joined_id(node_id node, uint64_t disk) {
  const auto id = mix(founder_id(node) ^ mix(disk));
  return id == 0 ? 1 : id;
}

} // namespace novacron
