#pragma once

#include <filesystem>
#include <string_view>
#include <sys/types.h>

namespace novacron {

// Small files that must outlive a power cut: what they hold, and their names.
// Each call blocks for as long as the disk takes, and is safe from any thread.
// False: it isn't so, and `errno` says why.

/// Makes `file`, where nothing may be yet, with `content`. Leaves nothing there
/// when it fails.
bool make_durable_file(const std::filesystem::path& file, std::string_view content, mode_t mode);

/// Puts a whole new file in the place of `file`, if there is one: a crash at any
/// moment leaves one of the two. Writes it beside it first, as `file`.new.
bool replace_durable_file(const std::filesystem::path& file, std::string_view content, mode_t mode);

/// The names in `folder` are on the disk as they are now.
bool sync_folder(const std::filesystem::path& folder);

} // namespace novacron
