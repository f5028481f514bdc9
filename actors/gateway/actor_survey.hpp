#pragma once

#include "messages/peer.hpp"
#include "messages/result.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace novacron {

/// Asks nodes for their trees of actors, all at once, and whomever they turn out
/// to have links with, too: no list names every node. Ends when each node that
/// was asked has answered, or when its question has; a question ends by itself.
/// Safe from any thread; owned by a shared_ptr.
class actor_survey : public std::enable_shared_from_this<actor_survey> {
public:
  struct visit {
    std::string name;                    ///< may be empty as long as nobody knows it
    result<actor_tree> tree = failure{}; ///< or why there is none
  };
  using nodes = std::map<node_id, visit>;

  static constexpr size_t most_nodes = 128;

  /// Asks one node; calls back once, with the tree or with why there is none.
  using question = std::function<void(actor_tree_request, std::function<void(result<actor_tree>)>)>;
  /// Gets what was found, and how many nodes were not asked because there are too many.
  using function = std::function<void(const nodes&, size_t left_out)>;

  /// `pattern` says what to ask each node for. `spread`: ask the nodes that they
  /// have links with, too.
  actor_survey(actor_tree_request pattern, bool spread, question ask, function done);

  /// Asks these nodes, unless they have been.
  void add(const std::vector<linked_node>& some);
  /// Waits for an answer more: whoever holds this may still `add`. Each `begin`
  /// wants an `end`; the survey begins with one.
  void begin();
  void end();

private:
  void answered(node_id node, result<actor_tree> tree);

  actor_tree_request pattern_;
  bool spread_;
  question ask_;
  function done_;
  std::mutex mutex_;
  nodes nodes_;
  std::set<node_id> left_out_;
  size_t open_ = 1;
};

} // namespace novacron
