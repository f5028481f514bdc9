#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace novacron::test {

/// What this process and some folders hold. At rest it is the same before and after whatever
/// cleans up behind itself.
struct held_resources {
  size_t threads = 0;
  size_t descriptors = 0;
  size_t files = 0;      ///< names in the folders: files, sockets, folders
  size_t heap_bytes = 0; ///< in use

  static held_resources now(const std::vector<std::filesystem::path>& folders);

  /// Nothing has become more; but the heap by `heap_room`, as tests and logs remember things.
  [[nodiscard]] bool within(const held_resources& before, size_t heap_room) const;
};
std::string to_string(const held_resources& x);

} // namespace novacron::test
