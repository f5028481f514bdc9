#pragma once

#include "dwcp/session/session.hpp"
#include "tests/bench/migration/matrix.hpp"
#include "tests/bench/migration/saved_state.hpp"

#include <boost/json/object.hpp>

namespace novacron::bench {

/// What rows have in common.
struct pipeline_setup {
  bench_place place;
  tls_files source;
  tls_files destination;
  uint32_t streams = send_options{}.streams;
  int level = send_options{}.compression_level;
};

/// Moves a guest once, from QEMU to QEMU without libvirt, over a link of its own,
/// and says how it went. `memory` is the saved guest's (`describe_memory`).
/// A migration that isn't through within a minute is given up: `converged` is
/// false. Throws std::runtime_error when it failed.
boost::json::object pipeline_row(const pipeline_setup& setup, const cell& what,
                                 const boost::json::object& memory, int repeat);

} // namespace novacron::bench
