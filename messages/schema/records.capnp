@0xee220475dfa226de;

# The cluster's state: messages/records.hpp. Times are milliseconds since 1970,
# durations milliseconds.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("novacron::schema");

using Ids = import "ids.capnp";

# -- virtual machines --

enum RequestedState {
  stopped @0;
  running @1;
  paused @2;
  deleted @3;
}

enum ActualState {
  defined @0;
  starting @1;
  running @2;
  paused @3;
  stopping @4;
  migrating @5;
  failed @6;
  lost @7;
  gone @8;
}

enum RestartPolicy {
  never @0;
  onFailure @1;
  always @2;
}

struct Label {
  key @0 :Text;
  value @1 :Text;
}

struct VmSpec {
  vcpus @0 :UInt32;
  memoryMib @1 :UInt64;
  image @2 :Text;
  kernelArguments @3 :Text;
  restart @4 :RestartPolicy;
  labels @5 :List(Label);  # sorted by key, without repeats
  placement @6 :PlacementRules;
  networks @7 :List(Text);  # sorted, without repeats
}

struct PlacementRules {
  # Lists are sorted, without repeats.
  groups @0 :List(Text);
  requiredLabels @1 :List(Label);
  preferredLabels @2 :List(Label);
  requiredAffinity @3 :List(Text);
  preferredAffinity @4 :List(Text);
  requiredAntiAffinity @5 :List(Text);
  preferredAntiAffinity @6 :List(Text);
}

struct RestartRecord {
  count @0 :UInt32;
  ends @1 :List(Int64);
  due @2 :Int64;
  runningSince @3 :Int64;
}

struct VmRecord {
  id @0 :Ids.Uuid;
  name @1 :Text;
  spec @2 :VmSpec;
  requested @3 :RequestedState;
  host @4 :Ids.Uuid;
  epoch @5 :Ids.Epoch;
  actual @6 :ActualState;
  reason @7 :Text;
  seenEpoch @8 :Ids.Epoch;
  seenBoot @9 :Ids.Uuid;
  seenSequence @10 :UInt64;
  migration @11 :Ids.Uuid;
  operation @12 :Ids.Uuid;
  created @13 :Int64;
  changed @14 :Int64;
  revision @15 :UInt64;
  restarts @16 :RestartRecord;
  fenced @17 :Bool;
}

# -- hosts --

enum HostState {
  joining @0;
  up @1;
  cordoned @2;
  draining @3;
  drained @4;
  unreachable @5;
  fenced @6;
  gone @7;
}

struct HostRecord {
  id @0 :Ids.Uuid;
  name @1 :Text;
  meshAddress @2 :Text;
  pageAddress @3 :Text;
  vcpus @4 :UInt32;
  memoryMib @5 :UInt64;
  images @6 :List(Text);
  hypervisor @7 :Text;
  accelerator @8 :Text;
  liveMigrationProblem @9 :Text;
  boot @10 :Ids.Uuid;
  state @11 :HostState;
  changed @12 :Int64;
  revision @13 :UInt64;
  fences @14 :Bool;
  lostLease @15 :UInt64;
  labels @16 :List(Label);  # sorted by key, without repeats
  memoryOvercommitPercent @17 :UInt32 = 100;
  vcpuOvercommitPercent @18 :UInt32 = 800;
  cpuFeatures @19 :List(Text);
  maintenance @20 :HostState = up;
  drain @21 :Ids.Uuid;
  awaited @22 :Bool;
  migrationsAtOnce @23 :UInt32 = 4;
  migrationsBetweenSites @24 :UInt32 = 2;
  networks @25 :List(Text);
}

struct LeaseRecord {
  host @0 :Ids.Uuid;
  boot @1 :Ids.Uuid;
  renewal @2 :UInt64;
  term @3 :Int64;
  granted @4 :Int64;
  expired @5 :Bool;
}

# -- migrations --

enum MigrationIntent {
  gentle @0;
  downtime @1;
  speed @2;
}

enum MigrationPriority {
  normal @0;
  low @1;
  high @2;
}

# Since cluster version 6.
struct MigrationTerms {
  intent @0 :MigrationIntent;
  longestPause @1 :Int64;
  timeLimit @2 :Int64;
  priority @3 :MigrationPriority;  # since cluster version 7
  tries @4 :UInt32 = 1;  # since cluster version 9
}

enum MigrationPhase {
  reserved @0;
  committed @1;
  aborted @2;
  finished @3;
  returned @4;
  done @5;
  rolledBack @6;
  queued @7; # not written yet: see MigrationRecord.queued
}

struct MigrationCost {
  duration @0 :Int64;
  guestBytes @1 :UInt64;
  wireBytes @2 :UInt64;
  rounds @3 :UInt32;
  chainOk @4 :Bool;
  work @5 :PageWork;  # null: nobody counted
}

struct PageWork {
  zeroPages @0 :UInt64;
  wholePages @1 :UInt64;
  samePages @2 :UInt64;
  changedPages @3 :UInt64;
  rawBytes @4 :List(UInt64);  # by reason
  packedBytes @5 :UInt64;
  reconnects @6 :UInt32;
}

struct MigrationRecord {
  id @0 :Ids.Uuid;
  vm @1 :Ids.Uuid;
  from @2 :Ids.Uuid;
  to @3 :Ids.Uuid;
  epoch @4 :Ids.Epoch;
  phase @5 :MigrationPhase;
  reason @6 :Text;
  sourceClean @7 :Bool;
  destinationClean @8 :Bool;
  cost @9 :MigrationCost;
  operation @10 :Ids.Uuid;
  created @11 :Int64;
  decided @12 :Int64;
  ended @13 :Int64;
  revision @14 :UInt64;
  terms @15 :MigrationTerms;
  # The phase is reserved then: gateways of cluster version 6, which are upgraded last, refuse another.
  queued @16 :Bool;
  begun @17 :Int64;
  timeline @18 :UInt32;
  attempt @19 :UInt32 = 1;
  notBefore @20 :Int64;
  mayPass @21 :Bool;
}

# -- operations --

enum OperationVerb {
  create @0;
  start @1;
  stop @2;
  pause @3;
  resume @4;
  migrate @5;
  remove @6;
}

enum OperationState {
  running @0;
  succeeded @1;
  failed @2;
}

struct OperationRecord {
  id @0 :Ids.Uuid;
  verb @1 :OperationVerb;
  vm @2 :Ids.Uuid;
  migration @3 :Ids.Uuid;
  state @4 :OperationState;
  error @5 :Text;
  created @6 :Int64;
  ended @7 :Int64;
  revision @8 :UInt64;
}

# -- tasks --

enum TaskKind {
  drain @0;
  rebalance @1;
  evacuation @2; # not written yet: see TaskRecord.evacuates
}

enum TaskState {
  running @0;
  finished @1;
  failed @2;
  cancelled @3;
}

enum MoveState {
  waiting @0;
  moving @1;
  finished @2;
  failed @3;
}

enum DeadlinePolicy {
  leave @0;
  stop @1;
}

struct TaskMove {
  vm @0 :Ids.Uuid;
  state @1 :MoveState;
  to @2 :Ids.Uuid;
  migration @3 :Ids.Uuid;
  attempts @4 :UInt32;
  stopped @5 :Bool;
  reason @6 :Text;
}

struct TaskRecord {
  id @0 :Ids.Uuid;
  kind @1 :TaskKind;
  host @2 :Ids.Uuid;
  state @3 :TaskState;
  parallel @4 :UInt32;
  deadline @5 :Int64;
  then @6 :DeadlinePolicy;
  moves @7 :List(TaskMove);
  created @8 :Int64;
  ended @9 :Int64;
  revision @10 :UInt64;
  # The kind is drain then: gateways of cluster version 5, which are upgraded last, refuse another.
  evacuates @11 :Bool;
}

# -- nodes --

enum MemberWish {
  unsaid @0;
  standby @1;
  voter @2;
  leaving @3;
  removed @4;
}

struct NodeRecord {
  id @0 :Ids.Uuid;
  name @1 :Text;
  roles @2 :List(UInt8);
  meshAddress @3 :Text;
  disk @4 :UInt64;
  wish @5 :MemberWish;
  replaces @6 :Ids.Uuid;
  changed @7 :Int64;
  revision @8 :UInt64;
}

struct JoinTokenRecord {
  id @0 :Ids.Uuid;
  key @1 :Data;  # 32 bytes
  roles @2 :List(UInt8);
  created @3 :Int64;
  expires @4 :Int64;
  usedBy @5 :Ids.Uuid;
  revision @6 :UInt64;
}

struct Record {
  # Any of the feed's records, as it is stored and as it travels.
  union {
    unset @0 :Void;  # so that an empty message is no record
    vm @1 :VmRecord;
    host @2 :HostRecord;
    migration @3 :MigrationRecord;
    operation @4 :OperationRecord;
    task @5 :TaskRecord;
    node @6 :NodeRecord;
    joinToken @7 :JoinTokenRecord;
  }
}
