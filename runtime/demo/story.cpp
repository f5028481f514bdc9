#include "runtime/demo/story.hpp"

namespace novacron {

namespace {

result<void> first_migration(story& x) {
  auto host = host_of_guest(x);
  if (!host)
    return host.error();
  if (*host != "node-2") {
    x.out.say("it was placed on " + *host + "; moving it to node-2 first");
    if (auto moved = migrate(x, "node-2"); !moved)
      return moved.error();
  }
  x.out.say("migrating from node-2 to node-3");
  auto moved = migrate(x, "node-3");
  if (!moved)
    return moved.error();
  return {};
}

result<void> kills(story& x) {
  for (auto* step : {kill_vm_actor, kill_migration_actor, kill_agent, kill_controller})
    if (auto done = step(x); !done)
      return done;
  return {};
}

} // namespace

result<void> tell(story& x) {
  x.out.step(3, "A guest, created and started over HTTP");
  if (auto done = start_guest(x); !done)
    return done;
  if (x.options.pause_guest.count() > 0)
    if (auto done = pause_guest(x); !done)
      return done;
  x.out.step(4, "It moves over DWCP while it runs");
  if (auto done = first_migration(x); !done)
    return done;
  x.out.step(5, "Kills");
  if (auto done = kills(x); !done)
    return done;
  if (auto done = judge_guest(x); !done)
    return done;
  x.out.step(6, "The end");
  return end_guest(x);
}

} // namespace novacron
