#include "actors/supervisor/tree_walk.hpp"

#include "actors/supervisor/counted_mailbox.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>

namespace novacron {

namespace {

constexpr auto branch_timeout = std::chrono::seconds{1};
constexpr size_t longest_failure = 200; // bytes

using self_pointer = supervisor_with_clock::stateful_pointer<supervisor_actor_state>;

void put_below(actor_tree& tree, const std::string& name) {
  for (auto& each : tree.actors)
    each.path = name + '/' + each.path;
  for (auto& each : tree.more)
    each.path = each.path.empty() ? name : name + '/' + each.path;
}

/// Answers once the last branch is there.
struct gathering {
  caf::typed_response_promise<actor_tree> answer;
  actor_tree own;                   ///< the children themselves
  std::vector<actor_tree> branches; ///< what is below each of them
  size_t missing = 1;               ///< the walk itself is one

  void arrived() {
    if (--missing > 0)
      return;
    actor_tree all;
    all.next = own.next;
    for (size_t i = 0; i < own.actors.size(); ++i) {
      all.actors.push_back(std::move(own.actors[i]));
      for (auto& each : branches[i].actors)
        all.actors.push_back(std::move(each));
      for (auto& each : branches[i].more)
        all.more.push_back(std::move(each));
    }
    all.more.insert(all.more.end(), own.more.begin(), own.more.end());
    answer.deliver(std::move(all));
  }
};

/// "vm" of "vm-4711".
std::string_view kind_of(std::string_view name) {
  return name.substr(0, name.find('-'));
}

actor_group& group_of(std::vector<actor_group>& groups, std::string_view kind) {
  auto found = std::ranges::find(groups, kind, &actor_group::kind);
  if (found != groups.end())
    return *found;
  groups.emplace_back();
  groups.back().kind = kind;
  return groups.back();
}

/// Lists the children up to the limit, and counts the others.
actor_tree list_children(self_pointer self, uint64_t after, size_t limit) {
  const auto& state = self->state;
  actor_tree out;
  auto mailbox = [&](std::string_view name) {
    auto child = state.living.find(std::string{name});
    return child == state.living.end() ? std::nullopt : messages_waiting(child->second);
  };
  uint64_t last = 0;
  state.supervisor->each(after, self->clock().now(), [&](const auto& child) {
    if (out.actors.size() < limit) {
      last = child.place;
      out.actors.push_back({std::string{child.name}, child.supervisor, child.state, child.restarts,
                            child.up, mailbox(child.name),
                            std::string{child.last_failure.substr(0, longest_failure)}});
      return;
    }
    out.next = last;
    auto& group = group_of(out.more, kind_of(child.name));
    ++group.count;
    group.running += child.state == actor_state::running ? 1 : 0;
    group.restarts += child.restarts;
    group.mailbox += mailbox(child.name).value_or(0);
  });
  return out;
}

caf::result<actor_tree> list_below(self_pointer self, const actor_tree_request& what) {
  auto slash = what.path.find('/');
  auto name = what.path.substr(0, slash);
  auto child = self->state.living.find(name);
  if (child == self->state.living.end())
    return caf::make_error(caf::sec::invalid_argument, "no actor " + name + " lives here");
  if (!self->state.supervisor->find(name)->supervisor)
    return caf::make_error(caf::sec::invalid_argument, "actor " + name + " has no children");
  auto below = what;
  below.path = slash == std::string::npos ? std::string{} : what.path.substr(slash + 1);
  auto promise = self->make_response_promise<actor_tree>();
  self->request(caf::actor_cast<supervisor_actor>(child->second), branch_timeout, below)
      .then(
          [promise, name](actor_tree tree) mutable {
            put_below(tree, name);
            promise.deliver(std::move(tree));
          },
          [promise](const caf::error& why) mutable { promise.deliver(why); });
  return promise;
}

} // namespace

caf::result<actor_tree> walk_tree(self_pointer self, const actor_tree_request& what) {
  if (!what.path.empty())
    return list_below(self, what);
  const auto& state = self->state;
  auto limit = std::clamp<size_t>(what.children, 1, most_children_shown);
  auto all = std::make_shared<gathering>();
  all->answer = self->make_response_promise<actor_tree>();
  all->own = list_children(self, what.after, limit);
  all->branches.resize(all->own.actors.size());
  actor_tree_request below;
  below.children = what.children;
  for (size_t i = 0; i < all->own.actors.size(); ++i) {
    const auto name = all->own.actors[i].path;
    auto child = state.living.find(name);
    if (!all->own.actors[i].supervisor || child == state.living.end())
      continue;
    ++all->missing;
    self->request(caf::actor_cast<supervisor_actor>(child->second), branch_timeout, below)
        .then(
            [all, i, name](actor_tree tree) {
              put_below(tree, name);
              all->branches[i] = std::move(tree);
              all->arrived();
            },
            [all](const caf::error&) { all->arrived(); });
  }
  auto answer = all->answer;
  all->arrived();
  return answer;
}

} // namespace novacron
