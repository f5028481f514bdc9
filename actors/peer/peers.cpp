#include "actors/peer/peers.hpp"

#include "actors/peer/mesh_errors.hpp"

#include <caf/send.hpp>

namespace novacron {

namespace {

constexpr size_t most_links = 1'024;

using self_pointer = peers_actor::stateful_pointer<peers_state>;

caf::result<link_actor> link_to(self_pointer self, node_id node, const std::string& where) {
  auto& links = self->state.links;
  auto known = links.find(node);
  if (known != links.end() && known->second.address == where)
    return known->second.link;
  auto remote = parse_address(where);
  if (!remote)
    return caf::make_error(caf::sec::invalid_argument, "\"" + where + "\" is no address:port");
  if (known != links.end()) // the node has moved
    caf::anon_send_exit(known->second.link, caf::exit_reason::kill);
  else if (links.size() >= most_links)
    return make_error(mesh_errc::overloaded, "too many links");
  auto config = self->state.pattern;
  config.remote = *remote;
  config.expected_node = node;
  auto fresh = self->spawn<caf::monitored>(link, config);
  links[node] = {where, fresh};
  return fresh;
}

} // namespace

peers_state::~peers_state() {
  for (const auto& each : links)
    caf::anon_send_exit(each.second.link, caf::exit_reason::kill);
}

peers_actor::behavior_type peers(self_pointer self, link_config pattern) {
  self->state.pattern = std::move(pattern);
  self->set_down_handler([self](const caf::down_msg& down) {
    std::erase_if(self->state.links,
                  [&](const auto& each) { return each.second.link.address() == down.source; });
  });
  return {
      [self](caf::connect_atom, node_id node, const std::string& where) {
        return link_to(self, node, where);
      },
  };
}

} // namespace novacron
