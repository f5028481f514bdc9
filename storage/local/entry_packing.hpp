#pragma once

#include "messages/commands.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace novacron {

// Few, full entries: an entry costs a write and a step of the core whatever it
// holds, so the proposals that wait together share entries.

/// An entry isn't filled beyond these; a single proposal may be larger.
inline constexpr size_t full_entry_bytes = 48u << 10;
inline constexpr size_t full_entry_commands = 256;
/// Larger proposals are refused, which bounds what one revision changes, and
/// lets every entry travel in one message of at most 64 KiB.
inline constexpr size_t most_proposal_bytes = 58u << 10;

/// What commands take in an entry, about: never less than a tenth too low, and
/// found without encoding them. Any thread.
size_t approximate_size(std::span<const command> commands);
/// What one observation adds to a host's report.
size_t approximate_size(const vm_observation& x);
size_t approximate_size(const migration_observation& x);

/// How many of the proposals whose sizes and numbers of commands are given, in
/// their order, go into each entry.
struct proposal_extent {
  size_t bytes = 0;
  size_t commands = 0;
};
std::vector<size_t> pack(std::span<const proposal_extent> proposals);

} // namespace novacron
