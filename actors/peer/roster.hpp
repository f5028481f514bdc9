#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/handle_slot.hpp"
#include "actors/log/log.hpp"
#include "actors/peer/node_roster.hpp"
#include "actors/peer/standing_links.hpp"
#include "messages/actors.hpp"

#include <memory>
#include <optional>

namespace novacron {

/// No host: what is fed for it is only what all are told, hosts and nodes.
inline constexpr node_id no_host{{~uint64_t{0}, ~uint64_t{0}}};

struct roster_config {
  node_record self; ///< `disk` is asked of the replica
  std::shared_ptr<node_roster> book;
  std::function<feed_source_actor()> feed; ///< asked for each question: actors come and go
  feed_filter filter{no_host}; ///< where the node's feed is shared: what its other readers want
  double phase = 0;            ///< the follower's
  std::function<frontend_actor()> frontend;
  std::function<replica_actor()> replica; ///< empty: this node has none
  std::shared_ptr<standing_links> links;  ///< to other controllers; may be null
  logger log;
};

struct roster_state {
  roster_config config;
  std::optional<feed_follower> follower;
  std::optional<node_record> registered; ///< as the log has taken it
  bool asking = false;
  std::chrono::steady_clock::time_point not_before;
  std::string last_problem; ///< said once
  static constexpr const char* name = "roster";
};

/// Tells the log who this node is, and on which disk its replica; and keeps the
/// book of who else there is. A controller that is no member yet knows no leader,
/// so it asks all controllers in turn. Writes a file, so spawn it detached.
roster_actor::behavior_type roster(roster_actor::stateful_pointer<roster_state> self,
                                   roster_config config);

} // namespace novacron
