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

/// What a key of the `state` column family names: the feed's record types, and
/// what is not fed.
enum class state_kind : uint8_t { vm = 1, host, migration, operation, lease, answer };

std::string log_key(uint32_t group, uint64_t index);
std::optional<uint64_t> index_of_log_key(std::string_view key);

std::string meta_key(uint32_t group, std::string_view name);

std::string state_key(uint32_t group, state_kind kind, const uuid& id);
std::string answer_state_key(uint32_t group, std::string_view answer);
/// Before all keys of this kind; `kind` may be one past the last.
std::string state_begin(uint32_t group, uint8_t kind);
std::optional<state_kind> kind_of_state_key(std::string_view key);

std::string change_key(uint32_t group, uint64_t revision, uint16_t ordinal = 0);
std::optional<uint64_t> revision_of_change_key(std::string_view key);

} // namespace novacron
