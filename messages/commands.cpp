#include "messages/commands.hpp"

#include "messages/names.hpp"

namespace novacron {

std::string to_string(command_errc x) {
  return std::string{word_of(x)};
}

} // namespace novacron
