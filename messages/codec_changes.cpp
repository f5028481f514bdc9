#include "messages/schema_mapping.hpp"

namespace novacron {

void write(schema::Change::Builder out, const change& in) {
  out.setRevision(in.revision);
  write(out.initRecord(), in.record);
  out.setRemoved(in.removed);
}

bool read(reading& budget, schema::Change::Reader in, change& out) {
  out.revision = in.getRevision();
  out.removed = in.getRemoved();
  return read(budget, in.getRecord(), out.record);
}

void write(schema::FeedFilter::Builder out, const feed_filter& in) {
  write(out.initHost(), in.host);
}

bool read(reading&, schema::FeedFilter::Reader in, feed_filter& out) {
  read(in.getHost(), out.host);
  return true;
}

void write(schema::FeedListing::Builder out, const feed_listing& in) {
  out.setRevision(in.revision);
  write_list(out.initRecords(list_size(in.records)), in.records);
  out.setNext(octets(in.next));
}

bool read(reading& budget, schema::FeedListing::Reader in, feed_listing& out) {
  out.revision = in.getRevision();
  out.next = text(in.getNext());
  return read_list(budget, in.getRecords(), out.records);
}

void write(schema::FeedChanges::Builder out, const feed_changes& in) {
  out.setRevision(in.revision);
  out.setTooOld(in.too_old);
  write_list(out.initChanges(list_size(in.changes)), in.changes);
  write_list(out.initProgress(list_size(in.progress)), in.progress);
}

bool read(reading& budget, schema::FeedChanges::Reader in, feed_changes& out) {
  out.revision = in.getRevision();
  out.too_old = in.getTooOld();
  return read_list(budget, in.getChanges(), out.changes)
         && read_list(budget, in.getProgress(), out.progress);
}

} // namespace novacron
