#pragma once

#include <compare>
#include <cstdint>

namespace novacron {

/// Where a message stands among those of its sender: a session per opening of
/// the sender's replica, kept on its disk, and a number in it. Both rise. So a
/// receiver sees what was overtaken or doubled, whatever connections did.
struct message_tag {
  uint64_t session = 0;
  uint64_t number = 0;

  friend auto operator<=>(const message_tag&, const message_tag&) = default;
};

} // namespace novacron
