#pragma once

#include "messages/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace novacron {

/// Writes a new file that only its owner can read; it outlives a power cut. Refuses
/// to overwrite: a key that is lost is lost.
result<void> write_secret_file(const std::filesystem::path& file, std::string_view content);

/// Reads a file of at most 64 KiB; `what` names it in the complaint.
result<std::string> read_small_file(const std::filesystem::path& file, std::string_view what);

} // namespace novacron
