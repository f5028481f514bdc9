#pragma once

#include "actors/feed/feed_state.hpp"
#include "actors/feed/list_queue.hpp"
#include "messages/actors.hpp"

#include <caf/typed_response_promise.hpp>
#include <unordered_map>

namespace novacron {

/// The pure feed and those who wait for it. However the feed ends, they are told,
/// and needn't wait until their own patience ends.
struct feed_actor_state {
  feed_actor_state() = default;
  ~feed_actor_state();

  struct open_list {
    list_request request;
    caf::typed_response_promise<feed_listing> answer;
  };

  feed_state feed;
  list_queue lists;                       ///< pages that the replica reads as soon as asked
  list_queue late_lists{{.reading = 64}}; ///< those that wait for what the leader has
  std::unordered_map<list_ticket, open_list> open_lists;
  replica_actor replica;
  pull_ticket last_ticket = 0;
  std::unordered_map<pull_ticket, caf::typed_response_promise<feed_changes>> waiting;
  static constexpr const char* name = "feed";
};

/// Serves the state of `replica`. Killed and restarted it knows no reader any
/// more: their pulls fail, and they ask again.
feed_actor::behavior_type feed(feed_actor::stateful_pointer<feed_actor_state> self,
                               feed_config config, replica_actor replica);

} // namespace novacron
