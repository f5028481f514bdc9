@0xb4a66e3a162079d0;

# What nodes say to each other's doors: messages/peer.hpp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("novacron::schema");

using Ids = import "ids.capnp";
using Commands = import "commands.capnp";
using Changes = import "changes.capnp";

# -- hello --

struct HelloChallengeRequest {
  challenge @0 :Data;  # 32 bytes
}

struct HelloChallenge {
  challenge @0 :Data;  # 32 bytes
  certificate @1 :Text;
  signature @2 :Data;
}

struct Hello {
  node @0 :Ids.Uuid;
  name @1 :Text;
  cluster @2 :Ids.Uuid;
  timeline @3 :UInt32;
  version @4 :UInt32;
  certificate @5 :Text;
  signature @6 :Data;
}

struct Welcome {
  node @0 :Ids.Uuid;
  name @1 :Text;
  timeline @2 :UInt32;
  version @3 :UInt32;
}

# -- proposals and the feed --

struct Proposal {
  commands @0 :List(Commands.Command);
}

struct Outcomes {
  each @0 :List(Commands.CommandOutcome);
}

struct ListRequest {
  filter @0 :Changes.FeedFilter;
  from @1 :Data;
  limitBytes @2 :UInt32;
  linearizable @3 :Bool;
  only @4 :Ids.Uuid;
}

struct PullRequest {
  after @0 :UInt64;
  filter @1 :Changes.FeedFilter;
  limitBytes @2 :UInt32;
  wait @3 :Int64;
}

# -- the group of replicas --

struct ReplicaMessage {
  number @0 :UInt64;
  bytes @1 :Data;
}

struct ReplicaMessageTaken {
  number @0 :UInt64;
}

struct SnapshotChunkRequest {
  reference @0 :Data;
  from @1 :Data;
  limitBytes @2 :UInt32;
}

struct SnapshotChunk {
  records @0 :Data;
  next @1 :Data;
  hash @2 :UInt64;
  plane @3 :Text;
}

struct GroupStatusRequest {
  linearizable @0 :Bool;
}

struct GroupMember {
  node @0 :Ids.Uuid;
  voter @1 :Bool;
  online @2 :Bool;
  storedIndex @3 :UInt64;
  knows @4 :UInt32;
  comparedIndex @5 :UInt64;
}

struct GroupStatus {
  node @0 :Ids.Uuid;
  leads @1 :Ids.Uuid;
  term @2 :UInt64;
  commitIndex @3 :UInt64;
  appliedIndex @4 :UInt64;
  timeline @5 :UInt32;
  members @6 :List(GroupMember);
  installing @7 :Bool;
  refused @8 :Text;
  disk @9 :UInt64;
  changing @10 :Text;
  clusterVersion @11 :UInt32;
}

# -- faults on purpose --

struct KillActor {
  node @0 :Ids.Uuid;
  path @1 :Text;
}

# -- trees of actors --

enum ActorState {
  running @0;
  stopping @1;
  restarting @2;
  ended @3;
}

struct ActorStatus {
  path @0 :Text;
  supervisor @1 :Bool;
  state @2 :ActorState;
  restarts @3 :UInt32;
  up @4 :Int64;
  counted @5 :Bool;  # does `mailbox` say anything?
  mailbox @6 :UInt64;
  lastFailure @7 :Text;
}

struct ActorGroup {
  path @0 :Text;
  kind @1 :Text;
  count @2 :UInt32;
  running @3 :UInt32;
  restarts @4 :UInt64;
  mailbox @5 :UInt64;
}

struct LinkedNode {
  node @0 :Ids.Uuid;
  name @1 :Text;
  controller @2 :Bool;
}

struct ActorTreeRequest {
  node @0 :Ids.Uuid;
  path @1 :Text;
  after @2 :UInt64;
  children @3 :UInt32;
}

struct ActorTree {
  node @0 :Ids.Uuid;
  name @1 :Text;
  actors @2 :List(ActorStatus);
  more @3 :List(ActorGroup);
  next @4 :UInt64;
  links @5 :List(LinkedNode);
}
