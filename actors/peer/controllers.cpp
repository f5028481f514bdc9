#include "actors/peer/controllers.hpp"

#include <algorithm>
#include <caf/send.hpp>

namespace novacron {

namespace {

constexpr auto tick_interval = std::chrono::milliseconds{25};
constexpr size_t most_links = 64;

using self_pointer = controllers_actor::stateful_pointer<controllers_state>;

/// Who has come and is not linked to yet.
void link_back(self_pointer self) {
  auto& state = self->state;
  for (auto node : state.pattern.known->controllers()) {
    if (state.back.contains(node) || state.pattern.standing->find(node)
        || state.back.size() >= most_links)
      continue;
    auto config = state.pattern;
    config.expected_node = node;
    config.dial = false;
    state.back.emplace(node, self->spawn(link, config));
  }
}

} // namespace

std::vector<address> controllers_to_dial(const std::vector<address>& controllers,
                                         const address& own) {
  return {controllers.begin(), std::ranges::find(controllers, own)};
}

controllers_state::~controllers_state() {
  for (const auto& each : dialled)
    caf::anon_send_exit(each, caf::exit_reason::kill);
  for (const auto& [node, each] : back)
    caf::anon_send_exit(each, caf::exit_reason::kill);
}

controllers_actor::behavior_type controllers(self_pointer self, link_config pattern,
                                             std::vector<address> dial) {
  auto& state = self->state;
  state.pattern = std::move(pattern);
  state.pattern.expected_role = node_role::controller;
  for (const auto& each : dial) {
    auto config = state.pattern;
    config.remote = each;
    state.dialled.push_back(self->spawn(link, config));
  }
  self->send(self, tick_atom::value);
  return {
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        link_back(self);
      },
  };
}

} // namespace novacron
