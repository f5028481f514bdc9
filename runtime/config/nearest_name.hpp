#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// How many letters must be put in, taken out or changed to make `b` of `a`
/// (Levenshtein's distance).
size_t edit_distance(std::string_view a, std::string_view b);

/// A hint for whoever wrote `name` where one of `known` was expected: the
/// nearest one, "did you mean \"listen\"?", or all of them when none is near.
std::string hint_for(std::string_view name, const std::vector<std::string>& known);

} // namespace novacron
