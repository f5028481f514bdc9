@0xbaff9b9c95670c7c;

# What enters the log, and what became of it: messages/commands.hpp.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("novacron::schema");

using Ids = import "ids.capnp";
using Records = import "records.capnp";
using Reports = import "reports.capnp";

struct Idempotency {
  principal @0 :Text;
  key @1 :Text;
  bodyHash @2 :Data;  # 32 bytes, SHA-256
}

struct CreateVm {
  vm @0 :Ids.Uuid;
  name @1 :Text;
  spec @2 :Records.VmSpec;
  host @3 :Ids.Uuid;
  operation @4 :Ids.Uuid;
}

struct RequestState {
  vm @0 :Ids.Uuid;
  requested @1 :Records.RequestedState;
  ifRevision @2 :UInt64;
  operation @3 :Ids.Uuid;
}

struct ReserveMigration {
  migration @0 :Ids.Uuid;
  vm @1 :Ids.Uuid;
  to @2 :Ids.Uuid;
  ifRevision @3 :UInt64;
  operation @4 :Ids.Uuid;
}

enum MigrationDecision {
  commit @0;
  abort @1;
  returnGuest @2;
}

struct DecideMigration {
  migration @0 :Ids.Uuid;
  epoch @1 :Ids.Epoch;
  decision @2 :MigrationDecision;
  reason @3 :Text;
}

struct RegisterHost {
  host @0 :Records.HostRecord;
}

struct RenewLease {
  host @0 :Ids.Uuid;
  boot @1 :Ids.Uuid;
  term @2 :Int64;
}

struct ExpireLease {
  host @0 :Ids.Uuid;
  renewal @1 :UInt64;
}

struct RegisterNode {
  node @0 :Records.NodeRecord;
}

struct WishMember {
  node @0 :Ids.Uuid;
  wish @1 :Records.MemberWish;
  replaces @2 :Ids.Uuid;
}

struct MakeJoinToken {
  token @0 :Ids.Uuid;
  key @1 :Data;  # 32 bytes
  roles @2 :List(UInt8);
  life @3 :Int64;
}

struct UseJoinToken {
  token @0 :Ids.Uuid;
  node @1 :Records.NodeRecord;
}

struct RecoverCluster {
  survivor @0 :Ids.Uuid;
}

struct Command {
  union {
    unset @0 :Void;  # so that an empty message is no command
    createVm @1 :CreateVm;
    requestState @2 :RequestState;
    reserveMigration @3 :ReserveMigration;
    decideMigration @4 :DecideMigration;
    hostReport @5 :Reports.HostReport;
    registerHost @6 :RegisterHost;
    renewLease @7 :RenewLease;
    expireLease @8 :ExpireLease;
    barrier @9 :Void;
    registerNode @11 :RegisterNode;
    wishMember @12 :WishMember;
    makeJoinToken @13 :MakeJoinToken;
    useJoinToken @14 :UseJoinToken;
    recoverCluster @15 :RecoverCluster;
  }
  idempotency @10 :Idempotency;
}

struct CommandBatch {
  # One entry of the log.
  group @0 :UInt32;
  timeline @1 :UInt32;
  clusterVersion @2 :UInt32;
  time @3 :Int64;
  commands @4 :List(Command);
}

enum CommandErrc {
  none @0;
  unknownVm @1;
  unknownHost @2;
  unknownMigration @3;
  nameTaken @4;
  vmDeleted @5;
  wrongState @6;
  noCapacity @7;
  sameHost @8;
  migrationInProgress @9;
  alreadyDecided @10;
  staleEpoch @11;
  revisionMismatch @12;
  keyReused @13;
  staleReport @14;
  staleLease @15;
  unknownOutcome @16;
  notLeader @17;
  overloaded @18;
  unknownNode @19;
  nodeRemoved @20;
  otherDisk @21;
  nodeInUse @22;
  badToken @23;
  hostsAwaited @24;
}

struct CommandOutcome {
  error @0 :CommandErrc;
  detail @1 :Text;
  revision @2 :UInt64;
  repeated @3 :Bool;
  vm @4 :Ids.Uuid;
  operation @5 :Ids.Uuid;
  migration @6 :Ids.Uuid;
  phase @7 :Records.MigrationPhase;
  lease @8 :Records.LeaseRecord;
}

struct StoredAnswer {
  # The answer to a call with an Idempotency-Key.
  asked @0 :Idempotency;
  outcome @1 :CommandOutcome;
  expires @2 :Int64;
}
