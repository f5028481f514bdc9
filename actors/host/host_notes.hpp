#pragma once

#include "actors/host/host_effects.hpp"

namespace novacron {

// What the parts of `host_logic` share.

/// A line for the log. Copied: GCC 12 sees a move out of bounds where there is none.
inline void say(host_effects& out, const std::string& text, bool warning, vm_id vm = {}) {
  const note_host line{text, warning, vm};
  out.emplace_back(line);
}

inline host_effects say(const std::string& text, bool warning) {
  host_effects out;
  say(out, text, warning);
  return out;
}

/// The log has no such host, or knows it from another boot.
inline bool doesnt_know_us(command_errc error) {
  return error == command_errc::unknown_host || error == command_errc::stale_lease;
}

} // namespace novacron
