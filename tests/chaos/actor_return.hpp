#pragma once

#include "actor_kills.hpp"

#include <boost/json/value.hpp>
#include <chrono>
#include <optional>
#include <string_view>

namespace novacron::chaos {

/// What the tree of an actor's node says of it after it was killed.
enum class actor_sight : uint8_t {
  back,    ///< it runs, and began after the kill
  not_yet, ///< the old one still, or it is to be started; or the tree can't be seen
  absent,  ///< its supervisor shows all of its children, and this isn't one of them
};

/// Looks for the actor `path`, "node-4/guests/vm-<id>", in an answer of GET /cluster/actors that
/// lists its supervisor's children and was asked for so long after the kill. Pure.
actor_sight look_for_actor(const boost::json::value& answer, std::string_view path,
                           std::chrono::duration<double> since_kill);

/// Waits until the actor is back, as its node's tree shows; how long after its kill that was.
/// None: it isn't to come back, since its vm has left the node or its migration has ended.
/// Fails when it is neither in ten seconds.
result<std::optional<std::chrono::milliseconds>> await_return(const killed_actor& killed,
                                                              const fault_scene& scene);

} // namespace novacron::chaos
