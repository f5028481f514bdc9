#pragma once

#include "actors/migration/migration_effects.hpp"
#include "dwcp/errors.hpp"

namespace novacron {

// What the tests of both sides' logic look for.

/// The first effect of this kind; null when there is none.
template <class Effect>
const Effect* find(const migration_effects& effects) {
  for (const auto& effect : effects)
    if (auto* found = std::get_if<Effect>(&effect))
      return found;
  return nullptr;
}

inline bool proposes(const migration_effects& effects, migration_decision what) {
  auto* proposal = find<propose_decision>(effects);
  return proposal && proposal->command.decision == what;
}

inline failure broken() {
  return make_failure(dwcp_errc::stream_broken, "the stream broke");
}

} // namespace novacron
