#pragma once

#include "messages/changes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace novacron {

// Keys of the database. Each begins with the group, so that several groups can
// share one database and its WAL; numbers are big-endian, so that keys sort
// like them.

/// What a key of the `state` column family names: the feed's record types, and,
/// between the first and the later ones of them, what is not fed.
enum class state_kind : uint8_t {
  vm = 1,
  host,
  migration,
  operation,
  lease,
  answer,
  task,
  node,
  join_token
};

/// Where a record of the feed is kept.
state_kind kind_of(record_type type);

std::string log_key(uint32_t group, uint64_t index);
std::optional<uint64_t> index_of_log_key(std::string_view key);

std::string meta_key(uint32_t group, std::string_view name);

/// Two generations of the state can lie side by side: the one that is read, and
/// a snapshot that is being fetched. Which is which, the meta column says.
enum class state_generation : uint8_t { even = 0, odd = 1 };
constexpr state_generation other(state_generation x) {
  return x == state_generation::even ? state_generation::odd : state_generation::even;
}

/// A key of the state; those of the even generation.
std::string state_key(uint32_t group, state_kind kind, const uuid& id);
std::string answer_state_key(uint32_t group, std::string_view answer);
/// Before all keys of this kind; `kind` may be one past the last.
std::string state_begin(uint32_t group, uint8_t kind);
inline constexpr uint8_t state_kinds_end = static_cast<uint8_t>(state_kind::join_token) + 1;
std::optional<state_kind> kind_of_state_key(std::string_view key);
/// The same key in `which` generation, from whichever it is of.
std::string in_generation(state_generation which, std::string key);

std::string change_key(uint32_t group, uint64_t revision, uint16_t ordinal = 0);
std::optional<uint64_t> revision_of_change_key(std::string_view key);

} // namespace novacron
