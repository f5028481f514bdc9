#include "messages/schema_mapping.hpp"

namespace novacron {

// -- hello -------------------------------------------------------------------------

void write(schema::HelloChallengeRequest::Builder out, const hello_challenge_request& in) {
  out.setChallenge(octets(in.challenge));
}

bool read(reading&, schema::HelloChallengeRequest::Reader in, hello_challenge_request& out) {
  return read(in.getChallenge(), out.challenge);
}

void write(schema::HelloChallenge::Builder out, const hello_challenge& in) {
  out.setChallenge(octets(in.challenge));
  out.setCertificate(text(in.certificate));
  out.setSignature(octets(in.signature));
}

bool read(reading&, schema::HelloChallenge::Reader in, hello_challenge& out) {
  out.certificate = text(in.getCertificate());
  out.signature = bytes(in.getSignature());
  return read(in.getChallenge(), out.challenge);
}

void write(schema::Hello::Builder out, const hello& in) {
  write(out.initNode(), in.node);
  out.setName(text(in.name));
  write(out.initCluster(), in.cluster);
  out.setTimeline(in.timeline);
  out.setVersion(in.version);
  out.setCertificate(text(in.certificate));
  out.setSignature(octets(in.signature));
}

bool read(reading&, schema::Hello::Reader in, hello& out) {
  read(in.getNode(), out.node);
  out.name = text(in.getName());
  read(in.getCluster(), out.cluster);
  out.timeline = in.getTimeline();
  out.version = in.getVersion();
  out.certificate = text(in.getCertificate());
  out.signature = bytes(in.getSignature());
  return true;
}

void write(schema::Welcome::Builder out, const welcome& in) {
  write(out.initNode(), in.node);
  out.setName(text(in.name));
  out.setTimeline(in.timeline);
  out.setVersion(in.version);
}

bool read(reading&, schema::Welcome::Reader in, welcome& out) {
  read(in.getNode(), out.node);
  out.name = text(in.getName());
  out.timeline = in.getTimeline();
  out.version = in.getVersion();
  return true;
}

// -- proposals and the feed --------------------------------------------------------

void write(schema::Proposal::Builder out, const proposal& in) {
  write_list(out.initCommands(list_size(in.commands)), in.commands);
}

bool read(reading& budget, schema::Proposal::Reader in, proposal& out) {
  return read_list(budget, in.getCommands(), out.commands);
}

void write(schema::Outcomes::Builder out, const outcomes& in) {
  write_list(out.initEach(list_size(in.each)), in.each);
}

bool read(reading& budget, schema::Outcomes::Reader in, outcomes& out) {
  return read_list(budget, in.getEach(), out.each);
}

void write(schema::ListRequest::Builder out, const list_request& in) {
  write(out.initFilter(), in.filter);
  out.setFrom(octets(in.from));
  out.setLimitBytes(in.limit_bytes);
  out.setLinearizable(in.linearizable);
  write(out.initOnly(), in.only);
}

bool read(reading& budget, schema::ListRequest::Reader in, list_request& out) {
  out.from = text(in.getFrom());
  out.limit_bytes = in.getLimitBytes();
  out.linearizable = in.getLinearizable();
  read(in.getOnly(), out.only);
  return read(budget, in.getFilter(), out.filter);
}

void write(schema::PullRequest::Builder out, const pull_request& in) {
  out.setAfter(in.after);
  write(out.initFilter(), in.filter);
  out.setLimitBytes(in.limit_bytes);
  out.setWait(milliseconds(in.wait));
}

bool read(reading& budget, schema::PullRequest::Reader in, pull_request& out) {
  out.after = in.getAfter();
  out.limit_bytes = in.getLimitBytes();
  return read(budget, in.getFilter(), out.filter) && read(in.getWait(), out.wait);
}

// -- migrations, host to host ------------------------------------------------------

void write(schema::PrepareMigration::Builder out, const prepare_migration& in) {
  write(out.initMigration(), in.migration);
  write(out.initVm(), in.vm);
  write(out.initEpoch(), in.epoch);
  out.setDomainXml(text(in.domain_xml));
  out.setCookie(octets(in.cookie));
}

bool read(reading&, schema::PrepareMigration::Reader in, prepare_migration& out) {
  read(in.getMigration(), out.migration);
  read(in.getVm(), out.vm);
  read(in.getEpoch(), out.epoch);
  out.domain_xml = text(in.getDomainXml());
  out.cookie = text(in.getCookie());
  return true;
}

void write(schema::MigrationPrepared::Builder out, const migration_prepared& in) {
  write(out.initMigration(), in.migration);
  out.setCookie(octets(in.cookie));
  out.setPageAddress(text(in.page_address));
  out.setToken(octets(in.token));
}

bool read(reading&, schema::MigrationPrepared::Reader in, migration_prepared& out) {
  read(in.getMigration(), out.migration);
  out.cookie = text(in.getCookie());
  out.page_address = text(in.getPageAddress());
  return read(in.getToken(), out.token);
}

void write(schema::MigrationPerformed::Builder out, const migration_performed& in) {
  write(out.initMigration(), in.migration);
  out.setCookie(octets(in.cookie));
}

bool read(reading&, schema::MigrationPerformed::Reader in, migration_performed& out) {
  read(in.getMigration(), out.migration);
  out.cookie = text(in.getCookie());
  return true;
}

// -- faults on purpose -------------------------------------------------------------

void write(schema::KillActor::Builder out, const kill_actor& in) {
  write(out.initNode(), in.node);
  out.setPath(text(in.path));
}

bool read(reading&, schema::KillActor::Reader in, kill_actor& out) {
  read(in.getNode(), out.node);
  out.path = text(in.getPath());
  return true;
}

} // namespace novacron
