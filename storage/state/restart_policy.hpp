#pragma once

#include "messages/records.hpp"

namespace novacron {

/// The first `command_batch::cluster_version` under which guests are restarted.
inline constexpr uint32_t restart_policies_since = 2;

/// From a guest's end to its restart: as long for the first of a row, doubled
/// for each further one.
inline constexpr std::chrono::milliseconds first_back_off = std::chrono::seconds{1};
inline constexpr std::chrono::milliseconds longest_back_off = std::chrono::seconds{60};

/// So many ends within this time, and the VM stays `failed`; a guest that ran
/// for as long ends the row that its predecessors made.
inline constexpr size_t too_many_ends = 5;
inline constexpr std::chrono::milliseconds restart_window = std::chrono::minutes{10};

/// Its host has just said something new of `vm`, which holds it already. If its
/// guest has ended though it is to run, sets the time of its restart, or says in
/// `reason` why there will be none. `in_order`: the guest switched itself off.
///
/// Pure: the log's time is the clock.
void apply_restart_policy(vm_record& vm, bool in_order, log_time now);

} // namespace novacron
