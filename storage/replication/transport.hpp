#pragma once

#include "storage/replication/messages.hpp"

#include <cstdint>

namespace novacron {

/// Carries a replica's messages to others of its group. Used by the consensus
/// core; what lies behind it, threads and sockets or a simulated network, is
/// not its business.
///
/// Must guarantee:
/// - Messages to one peer arrive in the order of `send`, each once, or not at
///   all. What is lost may be lost silently: the core repeats itself. After a
///   gap later messages may arrive; earlier ones never after later ones. So a
///   transport that connects again must not let the old connection's messages
///   overtake: messages are tagged with the sender's session, which rises with
///   each opening of the replica, and a number, and the receiver drops what is
///   not newer (see `message_tag`).
/// - A message arrives as it was sent, and from whom it says.
/// - `send` neither blocks nor calls back into the core.
///
/// The core keeps messages below `most_message_bytes` of entries; a snapshot
/// travels as a reference, and is fetched in chunks that can be resumed.
class raft_transport {
public:
  virtual ~raft_transport() = default;
  virtual void send(uint64_t to, raft_message_body message) = 0;
};

/// Entries in one message, each with what stands around it; a single entry is
/// never larger.
inline constexpr size_t most_message_bytes = 60u << 10;

/// What stands around an entry in a message, see `wire.hpp`.
inline constexpr size_t entry_head_bytes = 8 + 1 + 4;

} // namespace novacron
