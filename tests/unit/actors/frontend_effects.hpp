#pragma once

#include "actors/frontend/frontend_state.hpp"

#include <variant>
#include <vector>

namespace novacron {

/// Those of this kind, in their order.
template <class Effect>
std::vector<Effect> all(const frontend_state::effects& effects) {
  std::vector<Effect> out;
  for (const auto& each : effects)
    if (auto* one = std::get_if<Effect>(&each))
      out.push_back(*one);
  return out;
}

} // namespace novacron
