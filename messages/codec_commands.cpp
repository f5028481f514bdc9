#include "messages/command_bodies.hpp"

namespace novacron {

// -- who asks ----------------------------------------------------------------------

static void write(schema::Idempotency::Builder out, const idempotency& in) {
  out.setPrincipal(text(in.principal));
  out.setKey(text(in.key));
  out.setBodyHash(octets(in.body_hash));
}

static bool read(schema::Idempotency::Reader in, idempotency& out) {
  out.principal = text(in.getPrincipal());
  out.key = text(in.getKey());
  return read(in.getBodyHash(), out.body_hash);
}

namespace {

// -- bodies ------------------------------------------------------------------------

void write_body(schema::Command::Builder command, const create_vm& in) {
  auto out = command.initCreateVm();
  write(out.initVm(), in.vm);
  out.setName(text(in.name));
  write(out.initSpec(), in.spec);
  write(out.initHost(), in.host);
  write(out.initOperation(), in.operation);
}

bool read_body(reading& budget, schema::CreateVm::Reader in, create_vm& out) {
  read(in.getVm(), out.vm);
  out.name = text(in.getName());
  read(in.getHost(), out.host);
  read(in.getOperation(), out.operation);
  return read(budget, in.getSpec(), out.spec);
}

void write_body(schema::Command::Builder command, const request_state& in) {
  auto out = command.initRequestState();
  write(out.initVm(), in.vm);
  out.setRequested(schema_enum<schema::RequestedState>(in.requested));
  out.setIfRevision(in.if_revision);
  write(out.initOperation(), in.operation);
}

bool read_body(reading&, schema::RequestState::Reader in, request_state& out) {
  read(in.getVm(), out.vm);
  out.if_revision = in.getIfRevision();
  read(in.getOperation(), out.operation);
  return read(in.getRequested(), out.requested);
}

void write_body(schema::Command::Builder command, const reserve_migration& in) {
  auto out = command.initReserveMigration();
  write(out.initMigration(), in.migration);
  write(out.initVm(), in.vm);
  write(out.initTo(), in.to);
  out.setIfRevision(in.if_revision);
  write(out.initOperation(), in.operation);
  if (in.terms != migration_terms{}) // as programs write it that know none
    write(out.initTerms(), in.terms);
}

bool read_body(reading&, schema::ReserveMigration::Reader in, reserve_migration& out) {
  read(in.getMigration(), out.migration);
  read(in.getVm(), out.vm);
  read(in.getTo(), out.to);
  out.if_revision = in.getIfRevision();
  read(in.getOperation(), out.operation);
  return read(in.getTerms(), out.terms);
}

void write_body(schema::Command::Builder command, const decide_migration& in) {
  auto out = command.initDecideMigration();
  write(out.initMigration(), in.migration);
  write(out.initEpoch(), in.epoch);
  out.setDecision(schema_enum<schema::MigrationDecision>(in.decision));
  out.setReason(text(in.reason));
  out.setMayPass(in.may_pass);
}

bool read_body(reading&, schema::DecideMigration::Reader in, decide_migration& out) {
  read(in.getMigration(), out.migration);
  read(in.getEpoch(), out.epoch);
  out.reason = text(in.getReason());
  out.may_pass = in.getMayPass();
  return read(in.getDecision(), out.decision);
}

void write_body(schema::Command::Builder command, const host_report& in) {
  write(command.initHostReport(), in);
}

bool read_body(reading& budget, schema::HostReport::Reader in, host_report& out) {
  return read(budget, in, out);
}

void write_body(schema::Command::Builder command, const register_host& in) {
  write(command.initRegisterHost().initHost(), in.host);
}

bool read_body(reading& budget, schema::RegisterHost::Reader in, register_host& out) {
  return read(budget, in.getHost(), out.host);
}

void write_body(schema::Command::Builder command, const renew_lease& in) {
  auto out = command.initRenewLease();
  write(out.initHost(), in.host);
  write(out.initBoot(), in.boot);
  out.setTerm(milliseconds(in.term));
}

bool read_body(reading&, schema::RenewLease::Reader in, renew_lease& out) {
  read(in.getHost(), out.host);
  read(in.getBoot(), out.boot);
  return read(in.getTerm(), out.term);
}

void write_body(schema::Command::Builder command, const expire_lease& in) {
  auto out = command.initExpireLease();
  write(out.initHost(), in.host);
  out.setRenewal(in.renewal);
}

bool read_body(reading&, schema::ExpireLease::Reader in, expire_lease& out) {
  read(in.getHost(), out.host);
  out.renewal = in.getRenewal();
  return true;
}

void write_body(schema::Command::Builder command, const confirm_inventory& in) {
  auto out = command.initConfirmInventory();
  write(out.initHost(), in.host);
  write(out.initBoot(), in.boot);
}

bool read_body(reading&, schema::ConfirmInventory::Reader in, confirm_inventory& out) {
  read(in.getHost(), out.host);
  read(in.getBoot(), out.boot);
  return true;
}

void write_body(schema::Command::Builder command, const compare_states&) {
  command.setCompareStates();
}

void write_body(schema::Command::Builder command, const barrier&) {
  command.setBarrier();
}

void write_body(schema::Command::Builder command, const replace_vm& in) {
  auto out = command.initReplaceVm();
  write(out.initVm(), in.vm);
  write(out.initEpoch(), in.epoch);
  out.setLease(in.lease);
  write(out.initTo(), in.to);
  out.setProblem(text(in.problem));
}

bool read_body(reading&, schema::ReplaceVm::Reader in, replace_vm& out) {
  read(in.getVm(), out.vm);
  read(in.getEpoch(), out.epoch);
  out.lease = in.getLease();
  read(in.getTo(), out.to);
  out.problem = text(in.getProblem());
  return true;
}

void write_body(schema::Command::Builder command, const fence_host& in) {
  auto out = command.initFenceHost();
  write(out.initHost(), in.host);
  write(out.initTask(), in.task);
}

bool read_body(reading&, schema::FenceHost::Reader in, fence_host& out) {
  read(in.getHost(), out.host);
  read(in.getTask(), out.task);
  return true;
}

bool read_body(reading& budget, schema::Command::Reader in, command_body& out) {
  switch (in.which()) {
  case schema::Command::CREATE_VM:
    return read_body(budget, in.getCreateVm(), out.emplace<create_vm>());
  case schema::Command::REQUEST_STATE:
    return read_body(budget, in.getRequestState(), out.emplace<request_state>());
  case schema::Command::RESERVE_MIGRATION:
    return read_body(budget, in.getReserveMigration(), out.emplace<reserve_migration>());
  case schema::Command::DECIDE_MIGRATION:
    return read_body(budget, in.getDecideMigration(), out.emplace<decide_migration>());
  case schema::Command::HOST_REPORT:
    return read_body(budget, in.getHostReport(), out.emplace<host_report>());
  case schema::Command::REGISTER_HOST:
    return read_body(budget, in.getRegisterHost(), out.emplace<register_host>());
  case schema::Command::RENEW_LEASE:
    return read_body(budget, in.getRenewLease(), out.emplace<renew_lease>());
  case schema::Command::EXPIRE_LEASE:
    return read_body(budget, in.getExpireLease(), out.emplace<expire_lease>());
  case schema::Command::BARRIER:
    out.emplace<barrier>();
    return true;
  case schema::Command::REPLACE_VM:
    return read_body(budget, in.getReplaceVm(), out.emplace<replace_vm>());
  case schema::Command::FENCE_HOST:
    return read_body(budget, in.getFenceHost(), out.emplace<fence_host>());
  case schema::Command::MAINTAIN_HOST:
    return read_body(budget, in.getMaintainHost(), out.emplace<maintain_host>());
  case schema::Command::START_REBALANCE:
    return read_body(budget, in.getStartRebalance(), out.emplace<start_rebalance>());
  case schema::Command::MOVE_VM:
    return read_body(budget, in.getMoveVm(), out.emplace<move_vm>());
  case schema::Command::NOTE_MOVE:
    return read_body(budget, in.getNoteMove(), out.emplace<note_move>());
  case schema::Command::CANCEL_TASK:
    return read_body(budget, in.getCancelTask(), out.emplace<cancel_task>());
  case schema::Command::REGISTER_NODE:
    return read_body(budget, in.getRegisterNode(), out.emplace<register_node>());
  case schema::Command::WISH_MEMBER:
    return read_body(budget, in.getWishMember(), out.emplace<wish_member>());
  case schema::Command::MAKE_JOIN_TOKEN:
    return read_body(budget, in.getMakeJoinToken(), out.emplace<make_join_token>());
  case schema::Command::USE_JOIN_TOKEN:
    return read_body(budget, in.getUseJoinToken(), out.emplace<use_join_token>());
  case schema::Command::RECOVER_CLUSTER:
    return read_body(budget, in.getRecoverCluster(), out.emplace<recover_cluster>());
  case schema::Command::COMPARE_STATES:
    out.emplace<compare_states>();
    return true;
  case schema::Command::CONFIRM_INVENTORY:
    return read_body(budget, in.getConfirmInventory(), out.emplace<confirm_inventory>());
  case schema::Command::UNSET:
    break;
  }
  return false;
}

} // namespace

// -- commands and what became of them ----------------------------------------------

void write(schema::Command::Builder out, const command& in) {
  std::visit([&](const auto& body) { write_body(out, body); }, in.body);
  write(out.initIdempotency(), in.idempotency);
}

bool read(reading& budget, schema::Command::Reader in, command& out) {
  return read_body(budget, in, out.body) && read(in.getIdempotency(), out.idempotency);
}

void write(schema::CommandBatch::Builder out, const command_batch& in) {
  out.setGroup(in.group);
  out.setTimeline(in.timeline);
  out.setClusterVersion(in.cluster_version);
  out.setTime(milliseconds(in.time));
  write_list(out.initCommands(list_size(in.commands)), in.commands);
}

bool read(reading& budget, schema::CommandBatch::Reader in, command_batch& out) {
  out.group = in.getGroup();
  out.timeline = in.getTimeline();
  out.cluster_version = in.getClusterVersion();
  return read(in.getTime(), out.time) && read_list(budget, in.getCommands(), out.commands);
}

void write(schema::CommandOutcome::Builder out, const command_outcome& in) {
  out.setError(schema_enum<schema::CommandErrc>(in.error));
  out.setDetail(text(in.detail));
  out.setRevision(in.revision);
  out.setRepeated(in.repeated);
  write(out.initVm(), in.vm);
  write(out.initOperation(), in.operation);
  write(out.initMigration(), in.migration);
  out.setPhase(schema_enum<schema::MigrationPhase>(in.phase));
  write(out.initLease(), in.lease);
  write(out.initTask(), in.task);
}

bool read(reading& budget, schema::CommandOutcome::Reader in, command_outcome& out) {
  out.detail = text(in.getDetail());
  out.revision = in.getRevision();
  out.repeated = in.getRepeated();
  read(in.getVm(), out.vm);
  read(in.getOperation(), out.operation);
  read(in.getMigration(), out.migration);
  read(in.getTask(), out.task);
  return read(in.getError(), out.error) && read(in.getPhase(), out.phase)
         && read(budget, in.getLease(), out.lease);
}

void write(schema::StoredAnswer::Builder out, const stored_answer& in) {
  write(out.initAsked(), in.asked);
  write(out.initOutcome(), in.outcome);
  out.setExpires(milliseconds(in.expires));
}

bool read(reading& budget, schema::StoredAnswer::Reader in, stored_answer& out) {
  return read(in.getAsked(), out.asked) && read(budget, in.getOutcome(), out.outcome)
         && read(in.getExpires(), out.expires);
}

} // namespace novacron
