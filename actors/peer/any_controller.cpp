#include "actors/peer/any_controller.hpp"

#include "actors/peer/mesh_errors.hpp"

#include <algorithm>
#include <caf/send.hpp>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto probe_interval = 500ms;
constexpr auto probe_timeout = 1s;
constexpr auto answer_timeout = 12s; // whoever asks gives up earlier

constexpr size_t most_links = 64;

using self_pointer = controller_actor::stateful_pointer<any_controller_state>;

bool may_repeat(const proposal&, const caf::error& why) {
  return has_done_nothing(why);
}

template <class Read>
bool may_repeat(const Read&, const caf::error&) {
  return true;
}

/// A controller without a majority behind it is left.
void judge(self_pointer self, size_t which, const outcomes& answer) {
  auto nothing_done
      = [](const command_outcome& each) { return each.error == command_errc::not_leader; };
  if (!answer.each.empty() && std::ranges::all_of(answer.each, nothing_done))
    self->state.choice->failed(which);
}

template <class Answer>
void judge(self_pointer, size_t, const Answer&) {
  // nop
}

template <class Answer, class Question>
void ask(self_pointer self, const Question& what, caf::typed_response_promise<Answer> promise,
         size_t left) {
  auto which = self->state.choice->present();
  self->request(self->state.links[which], answer_timeout, what)
      .then(
          [self, which, promise](const Answer& answer) mutable {
            judge(self, which, answer);
            promise.deliver(answer);
          },
          [self, which, what, promise, left](caf::error& why) mutable {
            self->state.choice->failed(which);
            if (left > 1 && may_repeat(what, why))
              ask<Answer>(self, what, promise, left - 1);
            else
              promise.deliver(std::move(why));
          });
}

template <class Answer, class Question>
caf::result<Answer> pass_on(self_pointer self, const Question& what) {
  auto promise = self->make_response_promise<Answer>();
  ask<Answer>(self, what, promise, self->state.links.size());
  return promise;
}

void link_to(self_pointer self, const address& remote) {
  auto& state = self->state;
  auto config = state.pattern;
  config.remote = remote;
  state.addresses.push_back(remote);
  state.links.push_back(self->spawn(link, config));
}

/// Controllers that joined since.
void follow_roster(self_pointer self) {
  auto& state = self->state;
  if (!state.pattern.roster)
    return;
  for (const auto& each : state.pattern.roster->controllers())
    if (state.links.size() < most_links
        && std::ranges::find(state.addresses, each.door) == state.addresses.end()) {
      link_to(self, each.door);
      state.choice->grow(state.links.size());
    }
}

void probe(self_pointer self) {
  auto& state = self->state;
  if (state.probing)
    return;
  state.probing = true;
  auto which = state.choice->present();
  self->request(state.links[which], probe_timeout, group_status_request{})
      .then(
          [self, which](const group_status& status) {
            self->state.probing = false;
            self->state.choice->probed(which, !status.leads.nil());
          },
          [self, which](const caf::error&) {
            self->state.probing = false;
            self->state.choice->failed(which);
          });
}

} // namespace

any_controller_state::~any_controller_state() {
  for (const auto& each : links)
    caf::anon_send_exit(each, caf::exit_reason::kill);
}

controller_actor::behavior_type any_controller(self_pointer self, link_config pattern,
                                               const std::vector<address>& controllers) {
  auto& state = self->state;
  pattern.expected_role = node_role::controller;
  state.pattern = pattern;
  for (const auto& each : controllers)
    link_to(self, each);
  // Not all nodes begin with the same one.
  auto chance = pattern.chance ? pattern.chance() : 0.0;
  auto count = controllers.size();
  state.choice.emplace(count, static_cast<size_t>(chance * static_cast<double>(count)));
  self->send(self, tick_atom::value);
  return {
      [self](const list_request& x) { return pass_on<feed_listing>(self, x); },
      [self](const pull_request& x) { return pass_on<feed_changes>(self, x); },
      [self](const migration_progress& x) {
        self->send(self->state.links[self->state.choice->present()], x);
      },
      [self](const proposal& x) { return pass_on<outcomes>(self, x); },
      [self](const group_status_request& x) { return pass_on<group_status>(self, x); },
      [self](const kill_actor& x) -> caf::result<ok_atom> {
        return self->delegate(self->state.links[self->state.choice->present()], x);
      },
      [self](const actor_tree_request& x) -> caf::result<actor_tree> {
        return self->delegate(self->state.links[self->state.choice->present()], x);
      },
      [self](tick_atom) {
        self->delayed_send(self, probe_interval, tick_atom::value);
        follow_roster(self);
        probe(self);
      },
  };
}

} // namespace novacron
