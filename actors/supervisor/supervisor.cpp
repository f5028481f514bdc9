#include "actors/supervisor/supervisor.hpp"

#include "actors/supervisor/tree_walk.hpp"

#include <caf/actor_cast.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <exception>

namespace novacron {

namespace {

using namespace std::chrono_literals;
using self_pointer = supervisor_with_clock::stateful_pointer<supervisor_actor_state>;
using effects = supervisor_state::effects;

bool is_normal(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::user_shutdown;
}

/// Why a child could not be started; empty when it was.
std::string try_start(self_pointer self, const std::string& name) {
  const auto* spec = self->state.supervisor->find(name);
  try {
    auto handle = spec->start ? spec->start(*self) : caf::actor{};
    if (!handle)
      return "its start function yielded nobody";
    self->monitor(handle);
    self->state.names.emplace(handle.address(), name);
    self->state.living.emplace(name, std::move(handle));
    return {};
  } catch (const std::exception& problem) {
    return problem.what();
  } catch (...) {
    return "its start function threw";
  }
}

effects start(self_pointer self, const std::string& name) {
  auto& state = self->state;
  auto problem = try_start(self, name);
  if (problem.empty())
    return state.supervisor->started(name, self->clock().now());
  state.log.warning("supervisor", "cannot start a child: " + problem, {{"child", name}});
  return state.supervisor->ended(name, problem, self->clock().now());
}

void ask_to_end(self_pointer self, const std::string& name, caf::exit_reason how) {
  auto child = self->state.living.find(name);
  if (child != self->state.living.end())
    caf::anon_send_exit(child->second, how);
}

void end(self_pointer self, const std::string& gave_up) {
  if (gave_up.empty()) {
    self->quit(caf::exit_reason::user_shutdown);
    return;
  }
  self->state.log.error("supervisor", gave_up);
  self->quit(caf::make_error(caf::sec::runtime_error, gave_up));
}

/// Ticks come when the state needs one; an earlier need sends a second tick.
void arrange_tick(self_pointer self) {
  auto& state = self->state;
  auto at = state.supervisor->wake();
  if (!at || (state.next_tick && *state.next_tick <= *at))
    return;
  state.next_tick = at;
  auto wait = std::max<std::chrono::steady_clock::duration>(*at - self->clock().now(), 1ms);
  self->delayed_send(self, wait, tick_atom::value);
}

void carry_out(self_pointer self, effects first) {
  std::deque<supervisor_effect> todo{first.begin(), first.end()};
  for (; !todo.empty(); todo.pop_front()) {
    auto& effect = todo.front();
    if (auto* one = std::get_if<start_child>(&effect)) {
      auto more = start(self, one->name);
      todo.insert(todo.end(), more.begin(), more.end());
    } else if (auto* stop = std::get_if<stop_child>(&effect))
      ask_to_end(self, stop->name, caf::exit_reason::user_shutdown);
    else if (auto* kill = std::get_if<kill_child>(&effect))
      ask_to_end(self, kill->name, caf::exit_reason::kill);
    else if (auto* last = std::get_if<end_supervisor>(&effect))
      end(self, last->gave_up);
  }
  arrange_tick(self);
}

void child_ended(self_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  auto found = state.names.find(down.source);
  if (found == state.names.end())
    return;
  auto name = std::move(found->second);
  state.names.erase(found);
  state.living.erase(name);
  std::string failure;
  if (!is_normal(down.reason)) {
    failure = down.reason == caf::exit_reason::kill ? "it was killed"
                                                    : self->system().render(down.reason);
    state.log.warning("supervisor", "a child died: " + failure, {{"child", name}});
  }
  carry_out(self, state.supervisor->ended(name, failure, self->clock().now()));
}

caf::result<caf::actor> add(self_pointer self, const child_spec& spec) {
  auto& state = self->state;
  if (spec.name.empty() || spec.name.find('/') != std::string::npos)
    return caf::make_error(caf::sec::invalid_argument, "a child needs a name without '/'");
  carry_out(self, state.supervisor->add(spec, self->clock().now()));
  auto child = state.living.find(spec.name);
  if (child != state.living.end())
    return child->second;
  return caf::make_error(caf::sec::runtime_error,
                         "child " + spec.name + " does not run at the moment; ask again");
}

caf::result<ok_atom> kill(self_pointer self, const kill_actor& what) {
  auto slash = what.path.find('/');
  auto name = what.path.substr(0, slash);
  auto child = self->state.living.find(name);
  if (child == self->state.living.end())
    return caf::make_error(caf::sec::invalid_argument,
                           "no actor " + name + " lives here; see the tree for those that do");
  if (slash == std::string::npos) {
    caf::anon_send_exit(child->second, caf::exit_reason::kill);
    return ok_atom::value;
  }
  if (!self->state.supervisor->find(name)->supervisor)
    return caf::make_error(caf::sec::invalid_argument, "actor " + name + " has no children");
  return self->delegate(caf::actor_cast<supervisor_actor>(child->second),
                        kill_actor{what.node, what.path.substr(slash + 1)});
}

} // namespace

supervisor_actor_state::~supervisor_actor_state() {
  for (const auto& child : living)
    caf::anon_send_exit(child.second, caf::exit_reason::kill);
}

supervisor_with_clock::behavior_type supervisor(self_pointer self, supervisor_spec spec,
                                                logger log) {
  self->state.supervisor.emplace(std::move(spec));
  self->state.log = std::move(log);
  self->set_down_handler([self](const caf::down_msg& down) { child_ended(self, down); });
  self->set_exit_handler([self](const caf::exit_msg&) {
    carry_out(self, self->state.supervisor->stop(self->clock().now()));
  });
  carry_out(self, self->state.supervisor->start(self->clock().now()));
  return {
      [self](const std::shared_ptr<const child_spec>& child) { return add(self, *child); },
      [self](stop_atom, const std::string& name) {
        carry_out(self, self->state.supervisor->remove(name, self->clock().now()));
      },
      [self](const kill_actor& what) { return kill(self, what); },
      [self](const actor_tree_request& what) { return walk_tree(self, what); },
      [self](tick_atom) {
        self->state.next_tick.reset();
        carry_out(self, self->state.supervisor->tick(self->clock().now()));
      },
  };
}

} // namespace novacron
