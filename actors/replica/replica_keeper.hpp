#pragma once

#include "actors/log/log.hpp"
#include "actors/peer/standing_links.hpp"
#include "actors/replica/election_watch.hpp"
#include "actors/replica/lease_watch.hpp"
#include "actors/replica/member_watch.hpp"
#include "actors/replica/replica_port.hpp"
#include "messages/actors.hpp"
#include "storage/replica.hpp"

#include <caf/typed_response_promise.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace novacron {

/// The replica's actor, and the way back from the engine's threads.
using replica_keeper_actor = replica_actor::extend<caf::reacts_to<continuation>>;

/// Opens the engine; may block for as long as loading the log takes.
using replica_opener = std::function<result<std::unique_ptr<replica>>()>;

/// Where a replica stands among others. A replica that is alone has none of it.
struct replica_place {
  node_id node;
  std::shared_ptr<replica_port> port;    ///< opened while there is an engine
  std::shared_ptr<standing_links> links; ///< the way to the leader
  std::string snapshot_door{};           ///< "address:port" of this node's; empty: it has none
};

/// The engine and those who wait for it. However the actor ends, the engine is
/// closed first; then those who wait are told that nobody knows what became of
/// their commands.
struct replica_keeper_state {
  replica_keeper_state() = default;
  ~replica_keeper_state();

  struct open_proposal {
    caf::typed_response_promise<outcomes> answer;
    size_t commands = 0;
  };

  /// A read that waits until this replica has applied what the leader had.
  struct late_read {
    uint64_t revision = 0;
    std::chrono::steady_clock::time_point deadline;
    list_request request;
    caf::typed_response_promise<feed_listing> answer;
  };

  std::unique_ptr<replica> engine;
  replica_place place;
  std::unordered_map<uint64_t, open_proposal> proposals;
  std::unordered_map<uint64_t, caf::typed_response_promise<feed_listing>>
      reads; ///< behind a barrier
  std::vector<late_read> late_reads;
  uint64_t last_ticket = 0;
  std::vector<caf::actor> subscribers;
  std::vector<caf::actor> followers;                                     ///< of the leadership
  leadership leader;                                                     ///< as they were told
  std::optional<caf::typed_response_promise<backup_info>> backup_answer; ///< one is being made
  std::jthread backup;
  lease_watch leases;
  uint64_t leases_term = 0; ///< in which `leases` were seen
  std::chrono::steady_clock::time_point leases_at;
  member_watch members;
  election_watch elections;
  logger log;
  static constexpr const char* name = "replica";
};

/// Owns the engine that `open` yields; where it leads, ends those leases that
/// were not renewed, and makes the members what operators wish. Opening and reading block, so spawn
/// it detached:
///
///     system.spawn<caf::detached>(replica_keeper, open, log)
///
/// Ends with an error when the engine can't be opened.
replica_keeper_actor::behavior_type
replica_keeper(replica_keeper_actor::stateful_pointer<replica_keeper_state> self,
               replica_opener open, logger log, replica_place place);

} // namespace novacron
