#pragma once

#include <functional>

namespace novacron {

/// Runs `work` in a forked child, whose exit status is what it returns, and
/// gives the child's pid; -1 and errno when none can be had.
///
/// For everything that may wait for a disk: a child that hangs in one doesn't
/// hang the fencer. The child dies with its parent and has no descriptors but
/// the standard ones. Only for processes with one thread.
int start_chore(const std::function<int()>& work);

/// Puts a child between us and our standard error, which copies what we write
/// to where it went before: a disk that hangs holds the child, not us. When its
/// 64 KiB of pipe are full, lines are lost. It ends when nobody writes any more.
void detach_log();

} // namespace novacron
