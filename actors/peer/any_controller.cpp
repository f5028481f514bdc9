#include "actors/peer/any_controller.hpp"

#include "actors/frontend/forwarding.hpp"
#include "actors/peer/mesh_errors.hpp"

#include <algorithm>
#include <caf/expected.hpp>
#include <caf/send.hpp>
#include <utility>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto probe_interval = 500ms;
constexpr auto probe_timeout = 1s;
constexpr auto answer_timeout = 12s; // whoever asks gives up earlier

constexpr size_t most_links = 64;

using self_pointer = controller_actor::stateful_pointer<any_controller_state>;

/// Asking another one is harmless, whatever became of the question.
bool is_harmless(const proposal& what) {
  return may_be_repeated(what);
}

template <class Read>
bool is_harmless(const Read&) {
  return true;
}

/// A controller without a majority behind it is left.
void judge(self_pointer self, size_t which, const outcomes& answer) {
  auto nothing_done
      = [](const command_outcome& each) { return each.error == command_errc::not_leader; };
  if (!answer.each.empty() && std::ranges::all_of(answer.each, nothing_done))
    self->state.choice->failed(which, self->clock().now());
}

template <class Answer>
void judge(self_pointer, size_t, const Answer&) {
  // nop
}

outcomes of_attempts(const outcomes& answer, bool doubtful) {
  return doubtful ? of_several_attempts(answer) : answer;
}

template <class Answer>
Answer of_attempts(const Answer& answer, bool) {
  return answer;
}

/// What one of several controllers may have done isn't undone by the word of the last.
caf::error of_attempts(const caf::error& why, bool doubtful) {
  return doubtful && has_done_nothing(why)
             ? make_error(mesh_errc::lost, "a controller that was asked before may have done it")
             : why;
}

template <class Answer>
using reply = std::function<void(const caf::expected<Answer>&)>;

/// A question, and how it gets on with one controller or more.
template <class Answer, class Question>
struct errand {
  Question what;
  reply<Answer> then;
  size_t left = 0;       ///< so many controllers may still be asked
  size_t under_way = 0;  ///< answers that may still come
  bool ended = false;    ///< `then` was called
  bool doubtful = false; ///< one may have done it, and not said so

  void end(const caf::expected<Answer>& answer) {
    if (!std::exchange(ended, true))
      then(answer);
  }
};

template <class Answer, class Question>
void ask(self_pointer self, const std::shared_ptr<errand<Answer, Question>>& job) {
  auto& state = self->state;
  const auto which = state.choice->present();
  const auto number = ++state.last_question;
  --job->left;
  ++job->under_way;
  auto ask_another = [self, job] {
    if (job->ended || job->left == 0 || !is_harmless(job->what))
      return;
    job->doubtful = true;
    ask(self, job);
  };
  auto fail = [job](const caf::error& why) { job->end(why); };
  state.open.emplace(number, any_controller_state::open_question{which, ask_another, fail});
  self->request(state.links[which], answer_timeout, job->what)
      .then(
          [self, which, number, job](const Answer& answer) {
            self->state.open.erase(number);
            --job->under_way;
            judge(self, which, answer);
            job->end(of_attempts(answer, job->doubtful));
          },
          [self, which, number, job](const caf::error& why) {
            self->state.open.erase(number);
            --job->under_way;
            self->state.choice->failed(which, self->clock().now());
            if (job->ended || job->under_way > 0)
              return;
            const auto nothing_done = has_done_nothing(why);
            if (job->left == 0 || !(nothing_done || is_harmless(job->what)))
              return job->end(of_attempts(why, job->doubtful));
            job->doubtful = job->doubtful || !nothing_done;
            ask(self, job);
          });
}

template <class Answer, class Question>
void ask(self_pointer self, const Question& what, reply<Answer> then) {
  auto job = std::make_shared<errand<Answer, Question>>();
  job->what = what;
  job->then = std::move(then);
  job->left = self->state.links.size();
  ask(self, job);
}

template <class Answer>
void deliver(caf::typed_response_promise<Answer> promise, const caf::expected<Answer>& answer) {
  if (answer)
    promise.deliver(*answer);
  else
    promise.deliver(answer.error());
}

template <class Answer, class Question>
caf::result<Answer> pass_on(self_pointer self, const Question& what) {
  auto promise = self->make_response_promise<Answer>();
  ask<Answer>(self, what,
              [promise](const caf::expected<Answer>& answer) { deliver(promise, answer); });
  return promise;
}

caf::result<feed_changes> pull(self_pointer self, const pull_request& what) {
  using shared_pull = any_controller_state::shared_pull;
  auto promise = self->make_response_promise<feed_changes>();
  auto same = [what](any_controller_state& state) {
    return std::ranges::find(state.pulls, what, &shared_pull::question);
  };
  auto& pulls = self->state.pulls;
  if (auto found = same(self->state); found != pulls.end()) {
    found->readers.push_back(promise);
    return promise;
  }
  pulls.push_back({what, {promise}});
  // The state is passed: while it ends, `self` has none any more.
  ask<feed_changes>(self, what,
                    [&state = self->state, same](const caf::expected<feed_changes>& answer) {
                      const auto found = same(state);
                      const auto readers = std::move(found->readers);
                      state.pulls.erase(found);
                      for (const auto& each : readers)
                        deliver(each, answer);
                    });
  return promise;
}

void link_to(self_pointer self, const address& remote) {
  auto& state = self->state;
  auto config = state.pattern;
  config.remote = remote;
  config.standing = state.standing;
  state.addresses.push_back(remote);
  state.links.push_back(self->spawn<caf::monitored>(link, config));
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

/// What the leader says of those that `links` lead to.
std::vector<controller_grade> grades_of(const any_controller_state& state,
                                        const group_status& status) {
  std::vector<controller_grade> out(state.links.size());
  for (const auto& each : status.members) {
    const auto found = std::ranges::find_if(
        state.links, [link = state.standing->find(each.node)](const link_actor& one) {
          return link && one.address() == link.address();
        });
    if (found == state.links.end())
      continue;
    auto& grade = out[static_cast<size_t>(found - state.links.begin())];
    if (each.node == status.leads)
      grade = controller_grade::leader;
    else if (!each.online
             || each.stored_index + controller_choice::most_behind < status.commit_index)
      grade = controller_grade::behind;
    else
      grade = controller_grade::follower;
  }
  return out;
}

/// What is on its way to a silent controller is asked of another, too.
void ask_others_too(self_pointer self, size_t silent) {
  std::vector<std::function<void()>> repeats;
  for (auto& [number, each] : self->state.open)
    if (each.which == silent && each.ask_another)
      repeats.push_back(std::exchange(each.ask_another, {}));
  for (const auto& each : repeats)
    each();
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
            auto& present = self->state;
            const auto now = self->clock().now();
            present.probing = false;
            present.choice->probed(which, !status.leads.nil(), now);
            if (status.by_leader())
              present.choice->graded(grades_of(present, status), now);
          },
          [self, which](const caf::error& why) {
            self->state.probing = false;
            self->state.choice->failed(which, self->clock().now());
            if (why == caf::sec::request_timeout)
              ask_others_too(self, which);
          });
}

} // namespace

any_controller_state::~any_controller_state() {
  for (const auto& each : links)
    caf::anon_send_exit(each, caf::exit_reason::kill);
  standing->clear();
  for (const auto& [number, each] : std::exchange(open, {}))
    each.fail(make_error(mesh_errc::lost, "the way to the controllers ended; ask the next one"));
}

controller_actor::behavior_type any_controller(self_pointer self, link_config pattern,
                                               const std::vector<address>& controllers) {
  auto& state = self->state;
  pattern.expected_role = node_role::controller;
  state.pattern = pattern;
  // A link never ends by itself, so this is a fault; whoever starts us anew starts it, too.
  self->set_down_handler([self](const caf::down_msg& down) { self->quit(down.reason); });
  for (const auto& each : controllers)
    link_to(self, each);
  // Not all nodes begin with the same one.
  auto chance = pattern.chance ? pattern.chance() : 0.0;
  const auto place = chance * static_cast<double>(controllers.size());
  const auto first = static_cast<size_t>(place);
  state.choice.emplace(controllers.size(), first, place - static_cast<double>(first) >= 0.5);
  self->send(self, tick_atom::value);
  return {
      [self](const list_request& x) { return pass_on<feed_listing>(self, x); },
      [self](const pull_request& x) { return pull(self, x); },
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
