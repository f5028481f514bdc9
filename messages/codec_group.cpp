#include "messages/schema_mapping.hpp"

namespace novacron {

void write(schema::ReplicaMessage::Builder out, const replica_message& in) {
  out.setNumber(in.number);
  out.setBytes(octets(in.bytes));
}

bool read(reading&, schema::ReplicaMessage::Reader in, replica_message& out) {
  out.number = in.getNumber();
  out.bytes = bytes(in.getBytes());
  return true;
}

void write(schema::ReplicaMessageTaken::Builder out, const replica_message_taken& in) {
  out.setNumber(in.number);
}

bool read(reading&, schema::ReplicaMessageTaken::Reader in, replica_message_taken& out) {
  out.number = in.getNumber();
  return true;
}

void write(schema::SnapshotChunkRequest::Builder out, const snapshot_chunk_request& in) {
  out.setReference(octets(in.reference));
  out.setFrom(octets(in.from));
  out.setLimitBytes(in.limit_bytes);
}

bool read(reading&, schema::SnapshotChunkRequest::Reader in, snapshot_chunk_request& out) {
  out.reference = text(in.getReference());
  out.from = text(in.getFrom());
  out.limit_bytes = in.getLimitBytes();
  return true;
}

void write(schema::SnapshotChunk::Builder out, const snapshot_chunk& in) {
  out.setRecords(octets(in.records));
  out.setNext(octets(in.next));
  out.setHash(in.hash);
  out.setPlane(text(in.plane));
}

bool read(reading&, schema::SnapshotChunk::Reader in, snapshot_chunk& out) {
  out.records = bytes(in.getRecords());
  out.next = text(in.getNext());
  out.hash = in.getHash();
  out.plane = text(in.getPlane());
  return true;
}

void write(schema::GroupStatusRequest::Builder out, const group_status_request& in) {
  out.setLinearizable(in.linearizable);
}

bool read(reading&, schema::GroupStatusRequest::Reader in, group_status_request& out) {
  out.linearizable = in.getLinearizable();
  return true;
}

static void write(schema::GroupMember::Builder out, const group_member& in) {
  write(out.initNode(), in.node);
  out.setVoter(in.voter);
  out.setOnline(in.online);
  out.setStoredIndex(in.stored_index);
  out.setKnows(in.knows);
  out.setComparedIndex(in.compared_index);
}

static bool read(reading&, schema::GroupMember::Reader in, group_member& out) {
  read(in.getNode(), out.node);
  out.voter = in.getVoter();
  out.online = in.getOnline();
  out.stored_index = in.getStoredIndex();
  out.knows = in.getKnows();
  out.compared_index = in.getComparedIndex();
  return true;
}

void write(schema::GroupStatus::Builder out, const group_status& in) {
  write(out.initNode(), in.node);
  write(out.initLeads(), in.leads);
  out.setTerm(in.term);
  out.setCommitIndex(in.commit_index);
  out.setAppliedIndex(in.applied_index);
  out.setTimeline(in.timeline);
  write_list(out.initMembers(list_size(in.members)), in.members);
  out.setInstalling(in.installing);
  out.setRefused(text(in.refused));
  out.setDisk(in.disk);
  out.setChanging(text(in.changing));
  out.setClusterVersion(in.cluster_version);
}

bool read(reading& budget, schema::GroupStatus::Reader in, group_status& out) {
  read(in.getNode(), out.node);
  read(in.getLeads(), out.leads);
  out.term = in.getTerm();
  out.commit_index = in.getCommitIndex();
  out.applied_index = in.getAppliedIndex();
  out.timeline = in.getTimeline();
  out.installing = in.getInstalling();
  out.refused = text(in.getRefused());
  out.disk = in.getDisk();
  out.changing = text(in.getChanging());
  out.cluster_version = in.getClusterVersion();
  return read_list(budget, in.getMembers(), out.members);
}

} // namespace novacron
