#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace novacron {

/// What an entry of the replicated log is for.
enum class entry_kind : uint8_t {
  command = 1,   ///< for the state machine
  barrier,       ///< a new leader's first one: commits what its predecessors left
  configuration, ///< who votes
};

/// An entry of the log. Its index is known from where it stands.
struct log_entry {
  using bytes = std::vector<std::byte>;

  uint64_t term = 0;
  entry_kind kind = entry_kind::command;
  std::shared_ptr<const bytes> data; ///< shared by log, disk and peers; null: not loaded
};

} // namespace novacron
