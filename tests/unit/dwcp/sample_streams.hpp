#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace novacron::testing {

using bytes = std::vector<std::byte>;
using random_numbers = std::mt19937_64;

/// Bytes without any structure.
bytes random_bytes(random_numbers& random, size_t count);

struct stream_shape {
  size_t pages = 300; ///< of the guest's memory
  int rounds = 3;
  size_t tail_bytes = 5000;
  bool return_path = true;
};

/// A stream as QEMU would write it, for a guest with random content.
bytes guest_stream(random_numbers& random, const stream_shape& shape = {});

/// The same, one pass over so many pages of noise, which nothing makes smaller.
bytes noise_stream(random_numbers& random, size_t pages);

/// Calls `take` with the pieces of `all`, each of a random size up to `longest`.
template <class Take>
void chop(std::span<const std::byte> all, random_numbers& random, size_t longest, Take take) {
  while (!all.empty()) {
    const auto size = std::min<size_t>(all.size(), 1 + random() % longest);
    take(all.first(size));
    all = all.subspan(size);
  }
}

/// Streams that a real QEMU wrote: files in the folder that the environment's
/// NOVACRON_STREAMS names; ends the test when there are none. Without the variable,
/// none, and says so: `integration/libvirt_streams` has it.
std::vector<std::filesystem::path> captured_streams();

/// The first `limit` bytes of a file.
bytes read_file(const std::filesystem::path& file, size_t limit = SIZE_MAX);

} // namespace novacron::testing
