#pragma once

#include "runtime/demo/demo_options.hpp"

namespace novacron {

/// `novacron demo`: three nodes, one guest, the story of what they go through,
/// and a summary in <folder>/summary.json. Ends what it started. Returns 0 when
/// all checks hold, 1 when one doesn't, 2 when it could not begin.
int run_demo(demo_options options);

} // namespace novacron
