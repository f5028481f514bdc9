#pragma once

#include "storage/replication/message_tag.hpp"
#include "storage/replication/messages.hpp"
#include "storage/replication/replica_word.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace novacron {

/// A message with what its receiver checks before it looks at it.
struct raft_envelope {
  uint32_t group = 0;
  uint32_t timeline = 0;
  uint64_t from = 0; ///< members' ids
  uint64_t to = 0;
  uint64_t from_disk = 0; ///< the sender's own
  uint64_t to_disk = 0;   ///< the receiver's, as the sender's membership says; 0: it doesn't
  message_tag tag;
  raft_message_body body;
  std::optional<replica_word> word = std::nullopt; ///< instead of a body
};

/// Big-endian numbers without gaps, behind a version byte; below 64 KiB.
std::vector<std::byte> encode(const raft_envelope& message);
/// Nothing: it is not such a message, or of another version or a kind that came
/// later. Never reads, nor allocates, beyond the bytes given. A `word` may be
/// longer than we know: a later program says more.
///
/// The version is of all kinds together. Nodes whose programs differ by more than
/// one version never get here, as their doors refuse each other (`mesh_version`);
/// so it rises only together with that, and then the one before must be read, too.
std::optional<raft_envelope> decode_envelope(std::span<const std::byte> bytes);

} // namespace novacron
