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
  terms @5 :Records.MigrationTerms;
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
  mayPass @4 :Bool;  # since cluster version 9
}

struct RegisterHost {
  host @0 :Records.HostRecord;
}

struct RenewLease {
  host @0 :Ids.Uuid;
  boot @1 :Ids.Uuid;
  term @2 :Int64;
}

struct ConfirmInventory {
  host @0 :Ids.Uuid;
  boot @1 :Ids.Uuid;
}

struct ExpireLease {
  host @0 :Ids.Uuid;
  renewal @1 :UInt64;
}

struct ReplaceVm {
  vm @0 :Ids.Uuid;
  epoch @1 :Ids.Epoch;
  lease @2 :UInt64;
  to @3 :Ids.Uuid;
  problem @4 :Text;
}

struct FenceHost {
  host @0 :Ids.Uuid;
  task @1 :Ids.Uuid;
}

enum MaintenanceWish {
  cordon @0;
  uncordon @1;
  drain @2;
  evacuate @3;
}

struct MaintainHost {
  host @0 :Ids.Uuid;
  wish @1 :MaintenanceWish;
  task @2 :Ids.Uuid;
  parallel @3 :UInt32;
  deadline @4 :Int64;
  then @5 :Records.DeadlinePolicy;
}

struct PlannedMove {
  vm @0 :Ids.Uuid;
  to @1 :Ids.Uuid;
}

struct StartRebalance {
  task @0 :Ids.Uuid;
  parallel @1 :UInt32;
  moves @2 :List(PlannedMove);
}

struct MoveVm {
  task @0 :Ids.Uuid;
  vm @1 :Ids.Uuid;
  attempt @2 :UInt32;
  to @3 :Ids.Uuid;
  migration @4 :Ids.Uuid;
}

struct NoteMove {
  task @0 :Ids.Uuid;
  vm @1 :Ids.Uuid;
  attempt @2 :UInt32;
  reason @3 :Text;
}

struct CancelTask {
  task @0 :Ids.Uuid;
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
    replaceVm @11 :ReplaceVm;
    fenceHost @12 :FenceHost;
    maintainHost @13 :MaintainHost;
    startRebalance @14 :StartRebalance;
    moveVm @15 :MoveVm;
    noteMove @16 :NoteMove;
    cancelTask @17 :CancelTask;
    registerNode @18 :RegisterNode;
    wishMember @19 :WishMember;
    makeJoinToken @20 :MakeJoinToken;
    useJoinToken @21 :UseJoinToken;
    recoverCluster @22 :RecoverCluster;
    compareStates @23 :Void;
    confirmInventory @24 :ConfirmInventory;
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
  ruleBroken @19;
  unknownTask @20;
  unknownNode @21;
  nodeRemoved @22;
  otherDisk @23;
  nodeInUse @24;
  badToken @25;
  hostsAwaited @26;
  needsUpgrade @27;
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
  task @9 :Ids.Uuid;
}

struct StoredAnswer {
  # The answer to a call with an Idempotency-Key.
  asked @0 :Idempotency;
  outcome @1 :CommandOutcome;
  expires @2 :Int64;
}
