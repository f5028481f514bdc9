#pragma once

#include "messages/actors.hpp"

namespace novacron::test {

struct control_actors {
  replica_actor replica;
  feed_actor feed;
  scheduler_actor scheduler;
  frontend_actor frontend;
};

} // namespace novacron::test
