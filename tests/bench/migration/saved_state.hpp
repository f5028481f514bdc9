#pragma once

#include "tests/bench/migration/matrix.hpp"

#include <filesystem>
#include <vector>

namespace novacron::bench {

/// Where the bench finds and keeps things.
struct bench_place {
  std::filesystem::path image;  ///< the guest's kernel and initramfs
  std::filesystem::path states; ///< saved states and captured streams; kept
};

/// The state of a guest that has this workload, stopped: QEMU's stream of one
/// pass, in a file. Booted and saved when there is none that is newer than the
/// guest's image.
std::filesystem::path saved_state(const bench_place& place, const workload& load);

/// Those of the guests that its destination has seen.
std::vector<std::filesystem::path> states_seen_by(const bench_place& place, const workload& load);

/// The stream of a live migration of that guest over a link of `mebibytes_per_s`
/// that took several rounds; made like a saved state.
std::filesystem::path captured_stream(const bench_place& place, const workload& load,
                                      unsigned mebibytes_per_s);

} // namespace novacron::bench
