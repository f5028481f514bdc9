#include "actors/gateway/actor_survey.hpp"

namespace novacron {

actor_survey::actor_survey(actor_tree_request pattern, bool spread, question ask, function done)
    : pattern_{std::move(pattern)}, spread_{spread}, ask_{std::move(ask)}, done_{std::move(done)} {
  // nop
}

void actor_survey::add(const std::vector<linked_node>& some) {
  std::vector<node_id> fresh;
  {
    std::lock_guard lock{mutex_};
    for (const auto& each : some) {
      auto known = nodes_.find(each.node);
      if (known != nodes_.end()) {
        if (known->second.name.empty())
          known->second.name = each.name;
      } else if (nodes_.size() < most_nodes) {
        nodes_[each.node].name = each.name;
        fresh.push_back(each.node);
        ++open_;
      } else {
        left_out_.insert(each.node);
      }
    }
  }
  for (auto node : fresh) {
    auto request = pattern_;
    request.node = node;
    ask_(request, [self = shared_from_this(), node](result<actor_tree> tree) {
      self->answered(node, std::move(tree));
    });
  }
}

void actor_survey::begin() {
  std::lock_guard lock{mutex_};
  ++open_;
}

void actor_survey::answered(node_id node, result<actor_tree> tree) {
  std::vector<linked_node> links;
  {
    std::lock_guard lock{mutex_};
    auto& seen = nodes_.at(node);
    if (tree) {
      if (!tree->name.empty())
        seen.name = tree->name;
      links = tree->links;
    }
    seen.tree = std::move(tree);
  }
  if (spread_)
    add(links);
  end();
}

void actor_survey::end() {
  {
    std::lock_guard lock{mutex_};
    if (--open_ > 0)
      return;
  }
  done_(nodes_, left_out_.size()); // nobody else is left to write
}

} // namespace novacron
