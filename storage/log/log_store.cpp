#include "storage/log/log_store.hpp"

#include "storage/errors.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/keys.hpp"

#include <limits>
#include <memory>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

namespace novacron {

namespace {

constexpr auto end_of_log = std::numeric_limits<uint64_t>::max();

std::shared_ptr<const log_entry::bytes> to_bytes(std::string_view text) {
  auto view = std::as_bytes(std::span{text});
  return std::make_shared<const log_entry::bytes>(view.begin(), view.end());
}

/// Nothing: it isn't an entry.
std::optional<log_entry> decode(std::string_view text, bool with_data) {
  field_reader fields{text};
  log_entry entry;
  entry.term = fields.number<uint64_t>();
  const auto kind = fields.number<uint8_t>();
  if (!fields.good() || kind < static_cast<uint8_t>(entry_kind::command)
      || kind > static_cast<uint8_t>(entry_kind::configuration))
    return {};
  entry.kind = static_cast<entry_kind>(kind);
  if (with_data || entry.kind == entry_kind::configuration)
    entry.data = to_bytes(fields.rest());
  return entry;
}

} // namespace

void log_store::put_vote(rocksdb::WriteBatch& batch, uint64_t term, uint64_t vote) const {
  batch.Put(db_.in(column::meta), meta_key(db_.group(), "vote"),
            field_writer{}.number(term).number(vote).take());
}

void log_store::append(rocksdb::WriteBatch& batch, uint64_t first,
                       std::span<const log_entry> entries) const {
  for (const auto& entry : entries) {
    const auto head
        = field_writer{}.number(entry.term).number(static_cast<uint8_t>(entry.kind)).take();
    const auto key = log_key(db_.group(), first++);
    const rocksdb::Slice key_part{key};
    const rocksdb::Slice parts[]{
        head, {reinterpret_cast<const char*>(entry.data->data()), entry.data->size()}};
    batch.Put(db_.in(column::log), {&key_part, 1}, {parts, 2});
  }
}

void log_store::truncate(rocksdb::WriteBatch& batch, uint64_t from) const {
  batch.DeleteRange(db_.in(column::log), log_key(db_.group(), from),
                    log_key(db_.group(), end_of_log));
}

void log_store::compact(rocksdb::WriteBatch& batch, const compaction_point& point,
                        uint64_t last) const {
  batch.Put(db_.in(column::meta), meta_key(db_.group(), "compacted"),
            field_writer{}
                .number(point.index)
                .number(point.term)
                .number(point.configuration_index)
                .bytes(point.configuration)
                .take());
  batch.DeleteRange(db_.in(column::log), log_key(db_.group(), 0), log_key(db_.group(), last + 1));
}

void log_store::wipe(rocksdb::WriteBatch& batch, const compaction_point& point) const {
  compact(batch, point, end_of_log - 1);
}

result<stored_log> log_store::load(uint64_t applied) const {
  const auto folder = db_.folder().string();
  auto damaged = [&](const std::string& what) {
    return make_failure(storage_errc::damaged,
                        "storage: the log in " + folder + " is damaged: " + what
                            + "; restore a backup into an empty folder, under a new timeline");
  };
  stored_log log;
  if (auto vote = db_.meta("vote"); !vote.empty()) {
    field_reader fields{vote};
    log.term = fields.number<uint64_t>();
    log.vote = fields.number<uint64_t>();
  }
  if (auto compacted = db_.meta("compacted"); !compacted.empty()) {
    field_reader fields{compacted};
    compaction_point point;
    point.index = fields.number<uint64_t>();
    point.term = fields.number<uint64_t>();
    point.configuration_index = fields.number<uint64_t>();
    point.configuration = *to_bytes(fields.rest());
    log.first = point.index + 1;
    log.compacted = std::move(point);
  }

  rocksdb::ReadOptions options;
  options.total_order_seek = true;
  const auto end = log_key(db_.group(), end_of_log);
  rocksdb::Slice upper{end};
  options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> i{db_.rocks().NewIterator(options, db_.in(column::log))};
  for (i->Seek(log_key(db_.group(), 0)); i->Valid(); i->Next()) {
    const auto index = index_of_log_key(i->key().ToStringView());
    if (!index)
      return damaged("a key has a wrong length");
    if (log.entries.empty())
      log.first = *index;
    if (*index != log.first + log.entries.size())
      return damaged("entry " + std::to_string(log.first + log.entries.size()) + " is missing");
    auto entry = decode(i->value().ToStringView(), *index > applied);
    if (!entry)
      return damaged("entry " + std::to_string(*index) + " cannot be read");
    log.entries.push_back(std::move(*entry));
  }
  if (!i->status().ok())
    return damaged(i->status().ToString());
  if (log.first > (log.compacted ? log.compacted->index : 0) + 1)
    return damaged("its beginning is missing");
  if (applied > log.last())
    return damaged("the state holds entry " + std::to_string(applied) + ", the log ends at "
                   + std::to_string(log.last()));
  if (auto promised = promise_file::read(db_.folder())) {
    if (promised->index > log.last())
      return damaged("it ends at entry " + std::to_string(log.last()) + ", but entry "
                     + std::to_string(promised->index) + " was promised");
    if (promised->term > log.term)
      return damaged("it is at term " + std::to_string(log.term) + ", but term "
                     + std::to_string(promised->term) + " was promised");
  }
  return log;
}

std::vector<log_entry> log_store::read(uint64_t first, size_t most) const {
  std::vector<log_entry> entries;
  const auto end = log_key(db_.group(), first + most);
  rocksdb::ReadOptions options;
  rocksdb::Slice upper{end};
  options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> i{db_.rocks().NewIterator(options, db_.in(column::log))};
  size_t bytes = 0;
  for (i->Seek(log_key(db_.group(), first)); i->Valid(); i->Next()) {
    bytes += i->value().size();
    if (bytes > most_read_bytes && !entries.empty())
      break;
    auto entry = decode(i->value().ToStringView(), true);
    if (!entry || index_of_log_key(i->key().ToStringView()) != first + entries.size())
      break;
    entries.push_back(std::move(*entry));
  }
  return entries;
}

} // namespace novacron
