#pragma once

#include "actors/peer/hello_proof.hpp"

#include <caf/actor.hpp>
#include <chrono>
#include <optional>
#include <unordered_map>
#include <vector>

namespace novacron {

/// Whom a door knows: those it has challenged, and those who have proved who
/// they are. An identity holds for one actor's address, and only while that
/// actor lives.
class guest_book {
public:
  using time_point = std::chrono::steady_clock::time_point;

  struct guest {
    node_identity identity;
    std::string name;
    caf::actor link;
  };

  /// Remembers the challenge for this link; an earlier one no longer counts.
  /// Of too many challenges, the oldest are forgotten.
  void challenged(const caf::actor_addr& link, const nonce& challenge, time_point now);
  /// The link's open challenge; it can be answered once, within ten seconds.
  std::optional<nonce> take_challenge(const caf::actor_addr& link, time_point now);

  void verified(const caf::actor_addr& link, guest who);
  void forget(const caf::actor_addr& link);

  [[nodiscard]] const guest* find(const caf::actor_addr& link) const;
  /// The latest link of a node, or one that is left after its end.
  [[nodiscard]] const guest* find(node_id node) const;

  /// The nodes that have links to this one, in the order of their ids.
  [[nodiscard]] std::vector<linked_node> nodes() const;

private:
  struct open_challenge {
    nonce value;
    time_point at;
  };

  std::unordered_map<caf::actor_addr, open_challenge> challenges_;
  std::unordered_map<caf::actor_addr, guest> guests_;
  std::unordered_map<node_id, caf::actor_addr> latest_;
};

} // namespace novacron
