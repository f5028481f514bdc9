#include "storage/log/keys.hpp"

#include "storage/log/fields.hpp"

namespace novacron {

namespace {

constexpr size_t group_bytes = 4;
/// Set in the kind of a key of the odd generation.
constexpr uint8_t odd_bit = 0x40;

} // namespace

state_kind kind_of(record_type type) {
  switch (type) {
  case record_type::vm:
    return state_kind::vm;
  case record_type::host:
    return state_kind::host;
  case record_type::migration:
    return state_kind::migration;
  case record_type::operation:
    return state_kind::operation;
  case record_type::task:
    return state_kind::task;
  case record_type::node:
    return state_kind::node;
  case record_type::join_token:
    break;
  }
  return state_kind::join_token;
}

std::string log_key(uint32_t group, uint64_t index) {
  return field_writer{}.number(group).number(index).take();
}

std::optional<uint64_t> index_of_log_key(std::string_view key) {
  if (key.size() != group_bytes + 8)
    return {};
  return field_reader{key.substr(group_bytes)}.number<uint64_t>();
}

std::string meta_key(uint32_t group, std::string_view name) {
  return field_writer{}.number(group).text(name).take();
}

std::string state_key(uint32_t group, state_kind kind, const uuid& id) {
  return field_writer{}
      .number(group)
      .number(static_cast<uint8_t>(kind))
      .number(id.high)
      .number(id.low)
      .take();
}

std::string answer_state_key(uint32_t group, std::string_view answer) {
  return field_writer{}
      .number(group)
      .number(static_cast<uint8_t>(state_kind::answer))
      .text(answer)
      .take();
}

std::string state_begin(uint32_t group, uint8_t kind) {
  return field_writer{}.number(group).number(kind).take();
}

std::optional<state_kind> kind_of_state_key(std::string_view key) {
  if (key.size() <= group_bytes)
    return {};
  const auto kind = static_cast<uint8_t>(key[group_bytes] & ~odd_bit);
  if (kind < static_cast<uint8_t>(state_kind::vm) || kind >= state_kinds_end)
    return {};
  return static_cast<state_kind>(kind);
}

std::string in_generation(state_generation which, std::string key) {
  if (key.size() > group_bytes) {
    const auto kind = static_cast<uint8_t>(key[group_bytes]) & ~odd_bit;
    key[group_bytes] = static_cast<char>(which == state_generation::odd ? kind | odd_bit : kind);
  }
  return key;
}

std::string change_key(uint32_t group, uint64_t revision, uint16_t ordinal) {
  return field_writer{}.number(group).number(revision).number(ordinal).take();
}

std::optional<uint64_t> revision_of_change_key(std::string_view key) {
  if (key.size() != group_bytes + 8 + 2)
    return {};
  return field_reader{key.substr(group_bytes)}.number<uint64_t>();
}

} // namespace novacron
