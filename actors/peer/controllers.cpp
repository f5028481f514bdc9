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
    if (state.pattern.roster && state.pattern.roster->removed(node))
      continue;
    if (state.back.contains(node) || state.pattern.standing->find(node)
        || state.back.size() >= most_links)
      continue;
    auto config = state.pattern;
    config.expected_node = node;
    config.dial = false;
    state.back.emplace(node, self->spawn<caf::monitored>(link, config));
  }
}

void end(const link_actor& each) {
  caf::anon_send_exit(each, caf::exit_reason::kill);
}

/// Is it a link that is meant to stand, not that of a node that was removed?
bool is_wanted(const controllers_state& state, const caf::actor_addr& link) {
  auto is_it = [&](const link_actor& each) { return each.address() == link; };
  auto leads_there = [&](const auto& each) { return is_it(each.second); };
  return std::ranges::any_of(state.dialled, is_it) || std::ranges::any_of(state.joined, leads_there)
         || std::ranges::any_of(state.back, leads_there);
}

/// Links to those that joined, and none any more to those that were removed.
void follow_roster(self_pointer self) {
  auto& state = self->state;
  const auto& roster = state.pattern.roster;
  if (!roster)
    return;
  for (auto* links : {&state.joined, &state.back})
    std::erase_if(*links, [&](const auto& each) {
      const bool gone = roster->removed(each.first);
      if (gone)
        end(each.second);
      return gone;
    });
  const auto wanted
      = joined_to_dial(state.listed, state.own, state.pattern.self->node, roster->controllers());
  for (const auto& each : wanted) {
    if (state.joined.contains(each.node) || state.joined.size() >= most_links)
      continue;
    auto config = state.pattern;
    config.expected_node = each.node;
    config.remote = each.door;
    state.joined.emplace(each.node, self->spawn<caf::monitored>(link, config));
  }
}

} // namespace

std::vector<known_controller> joined_to_dial(const std::vector<address>& controllers,
                                             const address& own, node_id self,
                                             const std::vector<known_controller>& known) {
  auto listed
      = [&](const address& x) { return std::ranges::find(controllers, x) != controllers.end(); };
  std::vector<known_controller> out;
  if (listed(own))
    return out;
  const bool unknown = std::ranges::find(known, self, &known_controller::node) == known.end();
  for (const auto& each : known)
    if (each.node != self && (each.node < self || unknown) && !listed(each.door))
      out.push_back(each);
  return out;
}

std::vector<address> controllers_to_dial(const std::vector<address>& controllers,
                                         const address& own) {
  return {controllers.begin(), std::ranges::find(controllers, own)};
}

controllers_state::~controllers_state() {
  for (const auto& each : dialled)
    end(each);
  for (const auto& [node, each] : joined)
    end(each);
  for (const auto& [node, each] : back)
    end(each);
}

controllers_actor::behavior_type controllers(self_pointer self, link_config pattern,
                                             std::vector<address> listed, const address& own) {
  auto& state = self->state;
  state.pattern = std::move(pattern);
  state.pattern.expected_role = node_role::controller;
  state.listed = std::move(listed);
  state.own = own;
  // A link never ends by itself, so this is a fault; whoever starts us anew starts it, too.
  self->set_down_handler([self](const caf::down_msg& down) {
    if (is_wanted(self->state, down.source))
      self->quit(down.reason);
  });
  for (const auto& each : controllers_to_dial(state.listed, own)) {
    auto config = state.pattern;
    config.remote = each;
    state.dialled.push_back(self->spawn<caf::monitored>(link, config));
  }
  self->send(self, tick_atom::value);
  return {
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        follow_roster(self);
        link_back(self);
      },
  };
}

} // namespace novacron
