#pragma once

namespace novacron {

/// Of the executable. Messages between nodes have a version of their own.
inline constexpr auto version = "0.1.0";

} // namespace novacron
