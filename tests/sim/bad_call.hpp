#pragma once

#include "fleet.hpp"

namespace novacron::sim {

/// A call that the log must refuse: what it names isn't there, or not any more.
struct bad_call {
  command_body what;
  command_errc why = command_errc::none;
};

/// Some such call, by chance.
bad_call make_bad_call(fleet& with);

/// Throws a `violation` unless this answer, which is final, is the refusal that it should be.
void check_refusal(fleet& with, const bad_call& call, const command_outcome& answer);

} // namespace novacron::sim
