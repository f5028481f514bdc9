#pragma once

#include "actors/gateway/gateway_config.hpp"
#include "actors/view/view_table.hpp"
#include "messages/actors.hpp"
#include "messages/result.hpp"

#include <functional>
#include <memory>

namespace novacron {

class http_edge;

struct gateway_state {
  gateway_state();
  ~gateway_state();

  std::unique_ptr<http_edge> edge; ///< ends with the actor: every connection is closed
  static constexpr const char* name = "gateway";
};

/// Takes the gateway's ports, before any actor is there to fail for it. Keep the
/// answer in `gateway_config::ports`.
result<std::shared_ptr<const gateway_ports>> bind_gateway(const gateway_config& config);

/// How the gateway has an actor killed: calls back once, from any thread.
using chaos_function
    = std::function<void(kill_actor, std::function<void(bool ok, std::string why)>)>;

/// How the gateway sees a node's actors; see `api::backend::look`.
using look_function
    = std::function<void(actor_tree_request, std::function<void(result<actor_tree>)>)>;

/// Owns the HTTP edge, and asks the log on its behalf. `chaos` may be empty:
/// then, or when the configuration doesn't allow it, no actor can be killed
/// over the API. Without `look` none is shown.
gateway_actor::behavior_type gateway(gateway_actor::stateful_pointer<gateway_state> self,
                                     gateway_config config, std::shared_ptr<view_table> view,
                                     frontend_actor frontend, chaos_function chaos,
                                     look_function look);

} // namespace novacron
