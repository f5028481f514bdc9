#pragma once

#include "actors/peer/link.hpp"

#include <caf/actor_addr.hpp>
#include <map>
#include <string>

namespace novacron {

struct peers_state {
  peers_state() = default;
  ~peers_state();

  struct known_link {
    std::string address;
    link_actor link;
  };

  link_config pattern;
  std::map<node_id, known_link> links;
  static constexpr const char* name = "peers";
};

/// Links on demand, one per node, as `pattern` says but for whom they lead to.
/// However it ends, its links end with it.
peers_actor::behavior_type peers(peers_actor::stateful_pointer<peers_state> self,
                                 link_config pattern);

} // namespace novacron
