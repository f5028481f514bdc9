#include "messages/schema_mapping.hpp"

namespace novacron {

static void write(schema::PageWork::Builder out, const page_work& in) {
  out.setZeroPages(in.zero_pages);
  out.setWholePages(in.whole_pages);
  out.setSamePages(in.same_pages);
  out.setChangedPages(in.changed_pages);
  auto raw = out.initRawBytes(list_size(in.raw_bytes));
  for (uint32_t n = 0; n < raw.size(); ++n)
    raw.set(n, in.raw_bytes[n]);
  out.setPackedBytes(in.packed_bytes);
  out.setReconnects(in.reconnects);
}

static void read(schema::PageWork::Reader in, page_work& out) {
  out.zero_pages = in.getZeroPages();
  out.whole_pages = in.getWholePages();
  out.same_pages = in.getSamePages();
  out.changed_pages = in.getChangedPages();
  const auto raw = in.getRawBytes();
  for (uint32_t n = 0; n < raw.size() && n < out.raw_bytes.size(); ++n) // a later one knows more
    out.raw_bytes[n] = raw[n];
  out.packed_bytes = in.getPackedBytes();
  out.reconnects = in.getReconnects();
}

void write(schema::MigrationCost::Builder out, const migration_cost& in) {
  out.setDuration(milliseconds(in.duration));
  out.setGuestBytes(in.guest_bytes);
  out.setWireBytes(in.wire_bytes);
  out.setRounds(in.rounds);
  out.setChainOk(in.chain_ok);
  if (in.work != page_work{}) // as programs write it that don't count
    write(out.initWork(), in.work);
}

bool read(reading&, schema::MigrationCost::Reader in, migration_cost& out) {
  out.guest_bytes = in.getGuestBytes();
  out.wire_bytes = in.getWireBytes();
  out.rounds = in.getRounds();
  out.chain_ok = in.getChainOk();
  read(in.getWork(), out.work);
  return read(in.getDuration(), out.duration);
}

void write(schema::MigrationTerms::Builder out, const migration_terms& in) {
  out.setIntent(schema_enum<schema::MigrationIntent>(in.intent));
  out.setLongestPause(milliseconds(in.longest_pause));
  out.setTimeLimit(milliseconds(in.time_limit));
  out.setPriority(schema_enum<schema::MigrationPriority>(in.priority));
  out.setTries(in.tries);
}

bool read(schema::MigrationTerms::Reader in, migration_terms& out) {
  out.tries = in.getTries();
  return read(in.getIntent(), out.intent) && read(in.getLongestPause(), out.longest_pause)
         && read(in.getTimeLimit(), out.time_limit) && read(in.getPriority(), out.priority);
}

void write(schema::MigrationRecord::Builder out, const migration_record& in) {
  write(out.initId(), in.id);
  write(out.initVm(), in.vm);
  write(out.initFrom(), in.from);
  write(out.initTo(), in.to);
  write(out.initEpoch(), in.epoch);
  // Older readers take one that waits for one that has just begun.
  const auto phase = in.waits() ? migration_phase::reserved : in.phase;
  out.setPhase(schema_enum<schema::MigrationPhase>(phase));
  out.setQueued(in.waits());
  out.setReason(text(in.reason));
  out.setSourceClean(in.source_clean);
  out.setDestinationClean(in.destination_clean);
  write(out.initCost(), in.cost);
  write(out.initOperation(), in.operation);
  out.setCreated(milliseconds(in.created));
  out.setDecided(milliseconds(in.decided));
  out.setEnded(milliseconds(in.ended));
  out.setRevision(in.revision);
  out.setBegun(milliseconds(in.begun));
  out.setTimeline(in.timeline);
  out.setAttempt(in.attempt);
  out.setNotBefore(milliseconds(in.not_before));
  out.setMayPass(in.may_pass);
  if (in.terms != migration_terms{}) // as programs write it that know none
    write(out.initTerms(), in.terms);
}

bool read(reading& budget, schema::MigrationRecord::Reader in, migration_record& out) {
  read(in.getId(), out.id);
  read(in.getVm(), out.vm);
  read(in.getFrom(), out.from);
  read(in.getTo(), out.to);
  read(in.getEpoch(), out.epoch);
  out.reason = text(in.getReason());
  out.source_clean = in.getSourceClean();
  out.destination_clean = in.getDestinationClean();
  read(in.getOperation(), out.operation);
  out.revision = in.getRevision();
  out.timeline = in.getTimeline();
  out.attempt = in.getAttempt();
  out.may_pass = in.getMayPass();
  if (!read(in.getPhase(), out.phase))
    return false;
  if (in.getQueued())
    out.phase = migration_phase::queued;
  return read(budget, in.getCost(), out.cost) && read(in.getTerms(), out.terms)
         && read(in.getCreated(), out.created) && read(in.getDecided(), out.decided)
         && read(in.getEnded(), out.ended) && read(in.getBegun(), out.begun)
         && read(in.getNotBefore(), out.not_before);
}

} // namespace novacron
