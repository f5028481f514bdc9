#pragma once

#include "hypervisor/fencer/bounded_log.hpp"
#include "messages/descriptor.hpp"

#include <functional>

namespace novacron {

/// Runs `work` in a forked child, whose exit status is what it returns, and
/// gives the child's pid; -1 and errno when none can be had.
///
/// For everything that may wait for a disk: a child that hangs in one doesn't
/// hang the fencer. The child dies with its parent and has no descriptors but
/// the standard ones. Only for processes with one thread.
int start_chore(const std::function<int()>& work);

/// Starts a child that appends to `log` whatever is written to the descriptor
/// that is returned, and keeps the log within its bound: a disk that hangs holds
/// the child, not who writes. When its 64 KiB of pipe are full, lines are lost. It
/// ends when nobody writes any more. Empty when none can be had.
descriptor start_log_copier(const bounded_log& log);

/// Puts such a child between us and our standard error. It writes to where that
/// went before, which needn't be `log`; if it is, within its bound.
void detach_log(const bounded_log& log);

} // namespace novacron
