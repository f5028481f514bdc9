@0xfe3020148a8e6b6b;

# The change feed: messages/changes.hpp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("novacron::schema");

using Ids = import "ids.capnp";
using Records = import "records.capnp";
using Reports = import "reports.capnp";

struct Change {
  revision @0 :UInt64;
  record @1 :Records.Record;
  removed @2 :Bool;
}

struct FeedFilter {
  host @0 :Ids.Uuid;
}

struct FeedListing {
  revision @0 :UInt64;
  records @1 :List(Records.Record);
  next @2 :Data;  # a key of the state, opaque to readers
}

struct FeedChanges {
  revision @0 :UInt64;
  tooOld @1 :Bool;
  changes @2 :List(Change);
  progress @3 :List(Reports.MigrationProgress);
}
