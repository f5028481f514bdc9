#pragma once

#include "tests/bench/migration/pipeline_row.hpp"

namespace novacron::bench {

/// Whether libvirt can move a guest this way: it knows TCP and parallel
/// connections, and we know DWCP.
bool through_libvirt(const method& way);

/// Moves a guest once, from libvirtd to libvirtd: by libvirt's own migration, or
/// step by step with DWCP as an agent does it. The guest boots first. Otherwise
/// as `pipeline_row`, without what only QEMU says.
boost::json::object product_row(const row_setup& setup, const cell& what,
                                const boost::json::object& memory, int repeat);

} // namespace novacron::bench
