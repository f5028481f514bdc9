#pragma once

#include "messages/result.hpp"

#include <string>
#include <toml++/toml.h>

namespace novacron {

/// Sets "section.key=value" in `table`, making the tables on the way. A value
/// that isn't TOML is taken as text, so that nobody needs to quote quotes.
result<void> apply_setting(toml::table& table, const std::string& setting);

} // namespace novacron
