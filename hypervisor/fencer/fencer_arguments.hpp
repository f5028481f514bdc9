#pragma once

#include "hypervisor/fencer/fencer.hpp"

#include <span>
#include <string>
#include <vector>

namespace novacron {

/// A fencer's command line without the program's name, "fencer" first, and back.
/// Every option but the watchdog's is given, with its value as an argument of its own. Reading
/// fails with `refused` and names the argument.
std::vector<std::string> fencer_arguments(const fencer_config& config);
result<fencer_config> parse_fencer_arguments(std::span<const std::string> arguments);

} // namespace novacron
