#include "actors/peer/roster.hpp"

#include "actors/feed/follow.hpp"

#include <cerrno>
#include <cstring>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 250ms;
constexpr auto ask_again = 1s;
constexpr auto look_again = 5s; // after all is well: the disk may be exchanged
constexpr auto status_timeout = 2s;
constexpr auto proposal_timeout = 6s;

using self_pointer = roster_actor::stateful_pointer<roster_state>;

void asked(self_pointer self, std::chrono::steady_clock::duration wait) {
  self->state.asking = false;
  self->state.not_before = self->clock().now() + wait;
}

void complain(self_pointer self, const std::string& why) {
  auto& state = self->state;
  if (why != state.last_problem)
    state.config.log.warning("peer", "this node is not registered: " + why);
  state.last_problem = why;
}

void save(self_pointer self) {
  if (!self->state.config.book->save())
    self->state.config.log.error("peer", "cannot remember which nodes were removed: "
                                             + std::string{std::strerror(errno)});
}

void note(self_pointer self, const any_record& record) {
  if (auto* node = std::get_if<node_record>(&record))
    self->state.config.book->put(*node);
}

/// The leader may be one that joined, and then stands in no file; and a replica that is no
/// member yet has nothing to read. So another controller is asked which nodes there are.
void ask_for_nodes(self_pointer self, const feed_source_actor& whom, std::string from) {
  list_request what;
  what.filter = self->state.config.filter;
  what.from = std::move(from);
  self->request(whom, status_timeout, what)
      .then(
          [self, whom](const feed_listing& page) {
            for (const auto& each : page.records)
              note(self, each);
            if (page.next.empty())
              save(self);
            else
              ask_for_nodes(self, whom, page.next);
          },
          [](const caf::error&) { /* asked again, while there is no way to the leader */ });
}

/// Asks each of `ways` in turn, from the last on, until one leads to the log.
void propose(self_pointer self, const node_record& me, std::vector<frontend_actor> ways) {
  if (ways.empty()) {
    complain(self, "no leader can be reached");
    if (const auto& links = self->state.config.links)
      for (const auto& each : links->all())
        ask_for_nodes(self, each, {});
    asked(self, ask_again);
    return;
  }
  auto way = std::move(ways.back());
  ways.pop_back();
  self->request(way, proposal_timeout, proposal{{{register_node{me}, {}}}})
      .then(
          [self, me, ways](const outcomes& answer) {
            const auto outcome = answer.each.size() == 1 ? answer.each.front() : command_outcome{};
            if (answer.each.size() != 1 || outcome.error == command_errc::not_leader) {
              propose(self, me, ways);
              return;
            }
            if (outcome.ok()) {
              self->state.registered = me;
              self->state.last_problem.clear();
            } else {
              complain(self, outcome.detail);
            }
            asked(self, outcome.ok() ? look_again : ask_again);
          },
          [self, me, ways](const caf::error&) { propose(self, me, ways); });
}

void register_as(self_pointer self, const node_record& me) {
  auto& state = self->state;
  if (state.registered == me) {
    asked(self, look_again);
    return;
  }
  std::vector<frontend_actor> ways;
  if (state.config.links)
    for (const auto& each : state.config.links->all())
      ways.emplace_back(each);
  if (auto own = state.config.frontend())
    ways.push_back(own);
  propose(self, me, std::move(ways));
}

void register_if_due(self_pointer self) {
  auto& state = self->state;
  if (state.asking || self->clock().now() < state.not_before)
    return;
  state.asking = true;
  auto me = state.config.self;
  if (!state.config.replica) {
    register_as(self, me);
    return;
  }
  auto replica = state.config.replica();
  if (!replica) {
    asked(self, ask_again);
    return;
  }
  self->request(replica, status_timeout, group_status_request{})
      .then(
          [self, me](const group_status& status) mutable {
            me.disk = status.disk;
            register_as(self, me);
          },
          [self](const caf::error&) { asked(self, ask_again); });
}

/// A cluster that was recovered may have lost the entry which had registered this node. (Or the
/// listing is from before it: then the log hears the same twice.)
void register_anew_if_missing(self_pointer self,
                              const std::set<std::pair<record_type, uuid>>& listed) {
  auto& state = self->state;
  if (!listed.contains({record_type::node, state.config.self.id.value}))
    state.registered.reset();
}

feed_follower::sink sink_of(self_pointer self) {
  return {.put = [self](const any_record& record) { note(self, record); },
          .remove = [](const any_record&) { /* nodes stay for ever */ },
          .keep_only = [self](const auto& listed) { register_anew_if_missing(self, listed); },
          .progress = {}};
}

void follow_nodes(self_pointer self) {
  auto& state = self->state;
  if (auto feed = state.config.feed())
    follow(self, feed, *state.follower, [self] { save(self); });
}

} // namespace

roster_actor::behavior_type roster(self_pointer self, roster_config config) {
  auto& state = self->state;
  state.config = std::move(config);
  state.follower.emplace(state.config.filter, false, sink_of(self), state.config.phase);
  self->send(self, tick_atom::value);
  return {
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        register_if_due(self);
        follow_nodes(self);
      },
  };
}

} // namespace novacron
