#include "messages/peer.hpp"

#include "messages/names.hpp"

namespace novacron {

std::string to_string(node_role x) {
  return std::string{word_of(x)};
}

std::string to_string(actor_state x) {
  return std::string{word_of(x)};
}

} // namespace novacron
