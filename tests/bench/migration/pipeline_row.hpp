#pragma once

#include "tests/bench/migration/matrix.hpp"
#include "tests/bench/migration/page_pair.hpp"
#include "tests/bench/migration/saved_state.hpp"

#include <boost/json/object.hpp>

namespace novacron::bench {

/// What rows have in common.
struct row_setup {
  bench_place place;
  page_setup pages;
  std::string congestion_control; ///< TCP's, for all methods; empty: the machine's
};

/// What a row says before anything is measured: the cell, the floor, the load.
boost::json::object row_head(const std::string& table, const cell& what,
                             const boost::json::object& memory, int repeat);

/// Moves a guest once, from QEMU to QEMU without libvirt, over a link of its own,
/// and says how it went. `memory` is the saved guest's (`describe_memory`).
/// A migration that isn't through within a minute is given up: `converged` is
/// false. Throws std::runtime_error when it failed.
boost::json::object pipeline_row(const row_setup& setup, const cell& what,
                                 const boost::json::object& memory, int repeat);

} // namespace novacron::bench
