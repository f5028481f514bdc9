#pragma once

#include "lab.hpp"
#include "ledger.hpp"

namespace novacron::chaos {

/// Creates and starts some `ha` VMs that no user asks for anything: they are to
/// run all the time, so that each host always has guests that its death or its
/// cut displaces. They are in the ledger, and some of their consoles are followed. Throws
/// std::runtime_error when one doesn't run in time.
void create_standing_vms(const lab& where, ledger& book, run_census& census);

/// So many, real ones included.
size_t standing_vms(bool real);

} // namespace novacron::chaos
