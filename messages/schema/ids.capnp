@0x9b2bd97f0de80809;

# What names things, and what orders them.
#
# Rules for all files here: a field is never removed, renumbered or given another
# meaning; new ones come at the end. So a reader meets only what it knows or
# what it may ignore, and an older writer's message reads with defaults.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("novacron::schema");

struct Uuid {
  # RFC 9562; nil means "none".
  high @0 :UInt64;
  low @1 :UInt64;
}

struct Epoch {
  # A permission to run a guest; ordered by timeline, then number.
  timeline @0 :UInt32;
  number @1 :UInt64;
}
