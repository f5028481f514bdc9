#include "actors/feed/feed.hpp"

#include <caf/actor_cast.hpp>
#include <caf/expected.hpp>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 50ms;
constexpr auto read_timeout = 3s;
constexpr auto list_timeout = 6s; // also of one that waits for the leader first

using self_pointer = feed_actor::stateful_pointer<feed_actor_state>;

void carry_out(self_pointer self, const feed_state::effects& effects);

/// Takes the promise of a pull out of those that wait.
caf::typed_response_promise<feed_changes> take(self_pointer self, pull_ticket ticket) {
  auto node = self->state.waiting.extract(ticket);
  return node ? std::move(node.mapped()) : caf::typed_response_promise<feed_changes>{};
}

void read(self_pointer self, const read_changes& what) {
  self->request(self->state.replica, read_timeout, what.request)
      .then(
          [self, ticket = what.pull](const feed_changes& changes) {
            carry_out(self, self->state.feed.was_read(ticket, changes, self->clock().now()));
          },
          [self, ticket = what.pull](caf::error& why) {
            self->state.feed.not_read(ticket);
            take(self, ticket).deliver(std::move(why));
          });
}

void carry_out(self_pointer self, const feed_state::effects& effects) {
  for (const auto& effect : effects)
    if (auto* one = std::get_if<read_changes>(&effect))
      read(self, *one);
    else if (auto* answer = std::get_if<answer_pull>(&effect))
      take(self, answer->pull).deliver(answer->changes);
    else if (auto* refused = std::get_if<refuse_pull>(&effect))
      take(self, refused->pull)
          .deliver(caf::make_error(caf::sec::runtime_error,
                                   "feed: too many readers wait; come back later"));
}

/// Tells readers apart; 0 for those without an address.
uint64_t reader_of(const caf::strong_actor_ptr& sender) {
  return sender ? std::hash<caf::actor_addr>{}(caf::actor_cast<caf::actor_addr>(sender)) : 0;
}

caf::result<feed_changes> pull(self_pointer self, const pull_request& request) {
  auto& state = self->state;
  auto ticket = ++state.last_ticket;
  auto reader = reader_of(self->current_sender()); // a promise takes the sender away
  auto answer = self->make_response_promise<feed_changes>();
  state.waiting.emplace(ticket, answer);
  carry_out(self, state.feed.pulled(ticket, reader, request, self->clock().now()));
  return answer;
}

// -- listings ----------------------------------------------------------------------

list_queue& queue_of(feed_actor_state& state, const list_request& request) {
  return request.linearizable ? state.late_lists : state.lists;
}

void read_page(self_pointer self, list_ticket ticket);

/// The page was read, or could not be; another one may be.
void page_ended(self_pointer self, list_ticket ticket, const caf::expected<feed_listing>& page) {
  auto& state = self->state;
  auto done = state.open_lists.extract(ticket);
  auto& [request, answer] = done.mapped();
  if (page)
    answer.deliver(*page);
  else
    answer.deliver(page.error());
  if (auto next = queue_of(state, request).ended())
    read_page(self, *next);
}

void read_page(self_pointer self, list_ticket ticket) {
  self->request(self->state.replica, list_timeout, self->state.open_lists.at(ticket).request)
      .then([self, ticket](const feed_listing& page) { page_ended(self, ticket, page); },
            [self, ticket](const caf::error& why) { page_ended(self, ticket, why); });
}

caf::error too_many_list() {
  return caf::make_error(caf::sec::runtime_error,
                         "feed: too many readers list the state; come back later");
}

caf::result<feed_listing> list(self_pointer self, const list_request& request) {
  auto& state = self->state;
  const auto ticket = ++state.last_ticket;
  const auto turn = queue_of(state, request).asked(ticket, self->clock().now());
  if (turn == list_queue::turn::never)
    return too_many_list();
  auto answer = self->make_response_promise<feed_listing>();
  state.open_lists.emplace(ticket, feed_actor_state::open_list{request, answer});
  if (turn == list_queue::turn::now)
    read_page(self, ticket);
  return answer;
}

void refuse_late_lists(self_pointer self) {
  auto& state = self->state;
  for (auto* queue : {&state.lists, &state.late_lists})
    for (auto ticket : queue->tick(self->clock().now()))
      if (auto over = state.open_lists.extract(ticket))
        over.mapped().answer.deliver(too_many_list());
}

} // namespace

feed_actor_state::~feed_actor_state() {
  const auto ended = caf::make_error(caf::sec::runtime_error, "the feed ended; ask the next one");
  for (auto& [ticket, answer] : waiting)
    answer.deliver(ended);
  for (auto& [ticket, one] : open_lists)
    one.answer.deliver(ended);
}

feed_actor::behavior_type feed(self_pointer self, feed_config config, replica_actor replica) {
  self->state.feed = feed_state{config};
  self->state.replica = std::move(replica);
  self->send(self->state.replica, caf::subscribe_atom::value, caf::actor_cast<caf::actor>(self));
  self->send(self, tick_atom::value);
  return {
      [self](const list_request& request) { return list(self, request); },
      [self](const pull_request& request) { return pull(self, request); },
      [self](const migration_progress& progress) {
        carry_out(self, self->state.feed.progressed(progress, self->clock().now()));
      },
      [self](update_atom, uint64_t revision) {
        carry_out(self, self->state.feed.applied(revision));
      },
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        carry_out(self, self->state.feed.tick(self->clock().now()));
        refuse_late_lists(self);
      },
  };
}

} // namespace novacron
