#include "storage/log/feed_reader.hpp"

#include "storage/errors.hpp"
#include "storage/log/keys.hpp"
#include "storage/state/audience.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <rocksdb/db.h>

namespace novacron {

namespace {

/// The most that a page holds before its last record or revision, whatever was
/// asked for.
constexpr size_t most_page_bytes = 512u << 10;
/// One revision is never split. Most are small, as entries are; but the end of a
/// host's lease changes all of its VMs at once. What fits into no message can be
/// read by listing only.
constexpr size_t most_answer_bytes = max_encoded_bytes - (1u << 20);
/// Looked at in one call on behalf of a filter that most doesn't pass.
constexpr size_t most_scanned_bytes = 16u << 20;

std::span<const std::byte> bytes_of(const rocksdb::Slice& slice) {
  return std::as_bytes(std::span{slice.data(), slice.size()});
}

class moment {
public:
  explicit moment(rocksdb::DB& db) : db_{db}, snapshot_{db.GetSnapshot()} {
    // nop
  }
  ~moment() { db_.ReleaseSnapshot(snapshot_); }
  moment(const moment&) = delete;
  moment& operator=(const moment&) = delete;
  [[nodiscard]] const rocksdb::Snapshot* get() const { return snapshot_; }

private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* snapshot_;
};

feed_changes must_list(uint64_t revision) {
  feed_changes answer;
  answer.revision = revision;
  answer.too_old = true;
  return answer;
}

failure unreadable(const database& db, const std::string& why) {
  return make_failure(storage_errc::damaged,
                      "storage: cannot read the feed from " + db.folder().string() + ": " + why);
}

} // namespace

bool feed_reader::concerns(const any_record& record, node_id host,
                           const rocksdb::Snapshot* at) const {
  return novacron::concerns(
      record, host, [this, at](migration_id id) -> std::optional<migration_record> {
        rocksdb::ReadOptions options;
        options.snapshot = at;
        std::string value;
        const auto key = in_generation(state_.generation(at),
                                       state_key(db_.group(), state_kind::migration, id.value));
        if (!db_.rocks().Get(options, db_.in(column::state), key, &value).ok())
          return std::nullopt;
        auto found = decode<stored_record>(bytes_of(value));
        auto migration = found ? std::get_if<migration_record>(&found->record) : nullptr;
        return migration ? std::optional{*migration} : std::nullopt;
      });
}

result<feed_listing> feed_reader::list(const list_request& request) const {
  const moment now{db_.rocks()};
  feed_listing page;
  page.revision = state_.mark(now.get()).index;
  // A page's `next` outlives the generation that it comes from.
  const auto generation = state_.generation(now.get());
  auto here = [&](std::string key) { return in_generation(generation, std::move(key)); };
  auto begin = here(state_begin(db_.group(), static_cast<uint8_t>(state_kind::vm)));
  auto end = here(state_begin(db_.group(), state_kinds_end));
  const auto unfed = here(state_begin(db_.group(), static_cast<uint8_t>(state_kind::lease)));
  const auto fed_again = here(state_begin(db_.group(), static_cast<uint8_t>(state_kind::task)));
  auto host = request.filter.host;
  if (!request.only.nil()) {
    begin = here(state_key(db_.group(), state_kind::vm, request.only.value));
    end = begin + '\0';
    host = {};
  }
  rocksdb::ReadOptions options;
  options.snapshot = now.get();
  rocksdb::Slice upper{end};
  options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> i{db_.rocks().NewIterator(options, db_.in(column::state))};
  const size_t limit = std::min<size_t>(request.limit_bytes, most_page_bytes);
  size_t size = 0;
  size_t scanned = 0;
  auto pass_unfed = [&] {
    if (i->Valid() && i->key().compare(unfed) >= 0 && i->key().compare(fed_again) < 0)
      i->Seek(fed_again);
  };
  i->Seek(std::max(here(request.from), begin));
  for (pass_unfed(); i->Valid(); i->Next(), pass_unfed()) {
    if ((size >= limit && !page.records.empty()) || scanned >= most_scanned_bytes) {
      page.next = in_generation(state_generation::even, i->key().ToString());
      break;
    }
    scanned += i->value().size();
    auto record = decode<stored_record>(bytes_of(i->value()));
    if (!record)
      return unreadable(db_, record.error().message);
    if (!concerns(record->record, host, now.get()))
      continue;
    size += i->value().size();
    page.records.push_back(std::move(record->record));
  }
  if (!i->status().ok())
    return unreadable(db_, i->status().ToString());
  return page;
}

result<feed_changes> feed_reader::changes_after(const pull_request& request) const {
  const moment now{db_.rocks()};
  const auto applied = state_.mark(now.get()).index;
  if (request.after < state_.forgotten(now.get()))
    return must_list(applied);
  feed_changes answer;
  answer.revision = std::max(applied, request.after);
  if (request.after >= applied)
    return answer;
  const auto end = change_key(db_.group(), applied + 1);
  rocksdb::ReadOptions options;
  options.snapshot = now.get();
  rocksdb::Slice upper{end};
  options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> i{db_.rocks().NewIterator(options, db_.in(column::changes))};
  const size_t limit = std::min<size_t>(request.limit_bytes, most_page_bytes);
  const auto host = request.filter.host;
  size_t size = 0;
  size_t scanned = 0;
  auto last = request.after;
  for (i->Seek(change_key(db_.group(), request.after + 1)); i->Valid(); i->Next()) {
    const auto revision = revision_of_change_key(i->key().ToStringView());
    auto stored = read_stored_change(i->value().ToStringView());
    if (!revision || !stored)
      return unreadable(db_, "a change cannot be read");
    const bool enough = size >= limit || scanned >= most_scanned_bytes;
    if (*revision != last && enough && scanned > 0) {
      answer.revision = last;
      break;
    }
    last = *revision;
    scanned += i->value().size();
    const auto& audience = stored->audience;
    if (!audience.empty() && !is_for(host, audience, {}))
      continue; // not decoded for nothing
    auto each = decode<change>(stored->encoded);
    if (!each)
      return unreadable(db_, each.error().message);
    if (!is_for(host, audience, type_of(each->record)))
      continue;
    size += stored->encoded.size();
    if (size > most_answer_bytes)
      return must_list(applied);
    answer.changes.push_back(std::move(*each));
  }
  if (!i->status().ok())
    return unreadable(db_, i->status().ToString());
  return answer;
}

} // namespace novacron
