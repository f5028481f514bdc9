#pragma once

#include "storage/consensus/raft_c.hpp"
#include "storage/replication/messages.hpp"

#include <optional>
#include <string>

namespace novacron {

entry_kind to_kind(raft_entry_type type);
raft_entry_type from_kind(entry_kind kind);

/// Points into `entry`, which must outlive it. `batch` is what libraft believes
/// to own; it never looks at it.
raft_entry lend(const log_entry& entry, void* batch);

/// A copy of what libraft says of an entry.
log_entry copy(const raft_entry& entry);

/// Our form of a message that libraft wants sent. Of an append only the header,
/// as libraft keeps no entries; of an install only the term, as libraft keeps no
/// snapshots. Nothing: a kind that is not known.
std::optional<raft_message_body> from_raft(const raft_message& message);

/// libraft's form of a received message, but for an append's entries and an
/// install's contents.
raft_message to_raft(const raft_message_body& body, uint64_t from, const std::string& address);

} // namespace novacron
