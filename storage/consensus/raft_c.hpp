#pragma once

// libraft's header, included nowhere else. It writes static_assert(sizeof(struct
// {…}) …), which C++ does not allow: no types in sizeof. What it asserts is the
// layout between its own versions, which is not ours to check.

#include <cstdbool>
#include <cstddef>
#include <cstdint>
#include <cstdio>

#define static_assert(...) static_assert(true, "")
extern "C" {
#include <raft.h>
}
#undef static_assert

#if RAFT_VERSION_NUMBER < 2201
#error "libraft 0.22.1 or later is needed: earlier ones lose committed entries"
#endif
