#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/view/view_table.hpp"
#include "messages/actors.hpp"

namespace novacron {

struct view_state {
  std::shared_ptr<view_table> table;
  std::optional<feed_follower> follower;
  static constexpr const char* name = "view";
};

/// Copies the whole state from `source` into `table`. Killed and restarted, it
/// lists the state again; the table goes on answering meanwhile. `phase`: the
/// follower's, 0 where the source is this node's own.
view_actor::behavior_type view(view_actor::stateful_pointer<view_state> self,
                               std::shared_ptr<view_table> table, feed_source_actor source,
                               double phase);

} // namespace novacron
