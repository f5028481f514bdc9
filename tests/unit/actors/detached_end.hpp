#pragma once

#include "tests/becomes_true.hpp"

#include <caf/all.hpp>
#include <chrono>
#include <doctest/doctest.h>

namespace novacron {

/// Kills a detached actor, waits for its end, and until nobody holds it any more.
/// The destructor of its system waits for that as well, but stops the clock before:
/// a tick that is still to come would hold the actor for ever.
template <class Handle>
void end_detached(caf::actor_system& system, Handle& handle) {
  if (!handle)
    return;
  {
    caf::scoped_actor waiter{system};
    waiter->send_exit(handle, caf::exit_reason::kill);
    waiter->wait_for(handle);
  }
  const auto last = caf::actor_cast<caf::strong_actor_ptr>(handle);
  handle = Handle{};
  CHECK(becomes_true(std::chrono::seconds{10}, [&] { return last->strong_refs == 1; }));
}

} // namespace novacron
