#pragma once

#include "storage/replica.hpp"

#include <string>
#include <vector>

namespace novacron {

/// What a replica's folder holds, for whoever has to decide what to do with it.
struct folder_outlook {
  uint32_t timeline = 0;
  uint64_t last_index = 0;    ///< of its log: what came after it, if anything, is lost
  uint64_t applied_index = 0; ///< known to have been committed up to here, at least
  log_time applied_time;      ///< of that, by the log's clock
  struct voter {
    node_id node;
    std::string name; ///< empty: the state doesn't say
  };
  std::vector<voter> voters;
};

/// Looks into the folder of `config`, which no process may have open. Fails as
/// opening it does, and with `damaged` if there is nothing in it.
result<folder_outlook> look_into(const replica_config& config);

/// Makes what is in the folder the beginning of a new timeline, whose only voter
/// is this replica; no process may have it open. Blocks.
///
/// The problem: a majority that is gone for good can't agree on anything any more.
/// What a survivor has may lack what others acknowledged, and may hold what nobody
/// did; all of it counts from now on. So that nothing of the old timeline can be
/// mistaken for the new one: the timeline rises, and with it every epoch and what
/// replicas accept of each other; the term rises; `then` is the new timeline's
/// first command; and the revision jumps beyond any that the old one may have
/// reached, and with it that of each record, so that all who follow the feed list again, and
/// give up what they know under a lost revision.
///
/// Interrupted, it can be done again.
result<folder_outlook> begin_new_timeline(const replica_config& config, command then);

/// How far the revision jumps.
inline constexpr uint64_t revision_jump = uint64_t{1} << 32;

} // namespace novacron
