#pragma once

#include "actors/peer/join.hpp"

#include <functional>
#include <string>
#include <vector>

namespace novacron {

/// Where nodes that join are served. Only a node that was given the CA's key signs.
struct join_desk {
  std::string authority; ///< PEM, the CA's certificate

  /// A certificate for the request's node with these roles, and what else it needs
  /// to know; all of it signed by the CA. Any thread.
  struct signed_answer {
    join_answer answer;
    std::vector<std::byte> signature;
  };
  std::function<result<signed_answer>(const join_request&, const std::vector<node_role>&)> sign;
};

} // namespace novacron
