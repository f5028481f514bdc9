@0xb2bd4f95a6d3240c;

# What hosts see, and how migrations get on: messages/commands.hpp, messages/changes.hpp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("novacron::schema");

using Ids = import "ids.capnp";
using Records = import "records.capnp";

struct VmObservation {
  vm @0 :Ids.Uuid;
  epoch @1 :Ids.Epoch;
  actual @2 :Records.ActualState;
  reason @3 :Text;
}

struct MigrationObservation {
  migration @0 :Ids.Uuid;
  clean @1 :Bool;
  cost @2 :Records.MigrationCost;
}

struct HostReport {
  host @0 :Ids.Uuid;
  boot @1 :Ids.Uuid;
  sequence @2 :UInt64;
  vms @3 :List(VmObservation);
  migrations @4 :List(MigrationObservation);
}

struct MigrationProgress {
  # Never in the log: travels beside the feed.
  migration @0 :Ids.Uuid;
  vm @1 :Ids.Uuid;
  phase @2 :Text;
  round @3 :UInt32;
  remainingBytes @4 :UInt64;
  guestBytes @5 :UInt64;
  wireBytes @6 :UInt64;
  bytesPerSecond @7 :UInt64;
}
