#pragma once

#include "actors/gateway/gateway_config.hpp"
#include "messages/result.hpp"

#include <filesystem>
#include <vector>

namespace novacron {

/// Reads a gateway's tokens: a line per token, its SHA-256 in hexadecimal and,
/// after a blank, whom it belongs to. Empty lines and those after '#' are
/// skipped. Fails when a line is anything else, or when there is no token.
result<std::vector<api_token>> read_token_file(const std::filesystem::path& file);

} // namespace novacron
