#include "actors/supervisor/tree_walk.hpp"

#include <caf/actor_cast.hpp>

namespace novacron {

namespace {

constexpr auto branch_timeout = std::chrono::seconds{1};

using self_pointer = supervisor_with_clock::stateful_pointer<supervisor_actor_state>;
using branch = std::vector<actor_status>;

/// Answers once the last branch is there.
struct gathering {
  caf::typed_response_promise<branch> answer;
  std::vector<branch> branches;
  size_t missing = 0;

  void arrived() {
    if (--missing > 0)
      return;
    branch all;
    for (auto& each : branches)
      all.insert(all.end(), each.begin(), each.end());
    answer.deliver(std::move(all));
  }
};

} // namespace

caf::typed_response_promise<branch> walk_tree(self_pointer self) {
  const auto& state = self->state;
  auto all = std::make_shared<gathering>();
  all->answer = self->make_response_promise<branch>();
  auto names = state.supervisor->names();
  all->missing = names.size() + 1;
  all->branches.resize(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    auto child = state.living.find(name);
    auto alive = child != state.living.end();
    all->branches[i].push_back({name, state.supervisor->restarts(name), alive});
    if (!alive || !state.supervisor->find(name)->supervisor) {
      all->arrived();
      continue;
    }
    self->request(caf::actor_cast<supervisor_actor>(child->second), branch_timeout,
                  tree_atom::value)
        .then(
            [all, i, name](const branch& below) {
              for (auto each : below) {
                each.path = name + '/' + each.path;
                all->branches[i].push_back(std::move(each));
              }
              all->arrived();
            },
            [all](const caf::error&) { all->arrived(); });
  }
  auto answer = all->answer;
  all->arrived();
  return answer;
}

} // namespace novacron
