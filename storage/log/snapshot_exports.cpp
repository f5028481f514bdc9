#include "storage/log/snapshot_exports.hpp"

#include "storage/errors.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/rolling_hash.hpp"

#include <algorithm>
#include <memory>
#include <rocksdb/db.h>

namespace novacron {

namespace {

/// Nobody reads it any more.
constexpr std::chrono::seconds most_idle{60};
/// Pinned at a time; each keeps what was overwritten since from being freed.
constexpr size_t most_pinned = 4;
constexpr size_t most_chunk_bytes = 1u << 20;

failure gone() {
  return make_failure(storage_errc::stopped,
                      "storage: this snapshot is not offered any more; wait for the leader's next");
}

} // namespace

std::string to_text(const snapshot_reference& reference) {
  field_writer text;
  text.number(reference.session)
      .number(reference.number)
      .number(reference.mark.index)
      .number(static_cast<uint64_t>(reference.mark.now.time_since_epoch().count()))
      .number(reference.mark.hash);
  if (reference.mark.version >= sums_since)
    text.number(reference.mark.version); // programs of before don't read longer ones
  return text.take();
}

std::optional<snapshot_reference> read_snapshot_reference(std::string_view text) {
  field_reader fields{text};
  snapshot_reference reference;
  reference.session = fields.number<uint64_t>();
  reference.number = fields.number<uint64_t>();
  reference.mark.index = fields.number<uint64_t>();
  reference.mark.now
      = log_time{std::chrono::milliseconds{static_cast<int64_t>(fields.number<uint64_t>())}};
  reference.mark.hash = fields.number<uint64_t>();
  if (!fields.at_end())
    reference.mark.version = fields.number<uint32_t>();
  if (!fields.good() || !fields.at_end())
    return {};
  return reference;
}

snapshot_exports::~snapshot_exports() {
  for (auto& [number, each] : pinned_)
    db_.rocks().ReleaseSnapshot(each.at);
}

snapshot_reference snapshot_exports::offer(uint64_t least, clock::time_point now) {
  std::lock_guard guard{mutex_};
  if (!pinned_.empty()) {
    auto& newest = pinned_.rbegin()->second;
    if (newest.reference.mark.index >= least) {
      newest.used = now;
      return newest.reference;
    }
  }
  release([&](const pinned& each) {
    return now - each.used > most_idle || pinned_.size() >= most_pinned;
  });
  pinned fresh;
  fresh.at = db_.rocks().GetSnapshot();
  fresh.reference = {session_, ++last_number_, state_.mark(fresh.at)};
  if (fresh.reference.mark.version < sums_since)
    fresh.reference.mark.version = 0; // as its text says it
  fresh.generation = state_.generation(fresh.at);
  fresh.used = now;
  pinned_.emplace(last_number_, fresh);
  return fresh.reference;
}

void snapshot_exports::release_idle(clock::time_point now) {
  std::lock_guard guard{mutex_};
  release([&](const pinned& each) { return now - each.used > most_idle; });
}

template <class Which>
void snapshot_exports::release(Which which) {
  for (auto i = pinned_.begin(); i != pinned_.end();) {
    auto& each = i->second;
    if (each.readers == 0 && which(each)) {
      db_.rocks().ReleaseSnapshot(each.at);
      i = pinned_.erase(i);
    } else {
      ++i;
    }
  }
}

result<snapshot_chunk> snapshot_exports::read(const snapshot_chunk_request& request,
                                              clock::time_point now) {
  const auto reference = read_snapshot_reference(request.reference);
  if (!reference || reference->session != session_)
    return gone();
  pinned from;
  {
    std::lock_guard guard{mutex_};
    auto found = pinned_.find(reference->number);
    if (found == pinned_.end() || found->second.reference != *reference)
      return gone();
    found->second.used = now;
    ++found->second.readers;
    from = found->second;
  }
  auto here = [&](std::string key) { return in_generation(from.generation, std::move(key)); };
  const auto end = here(state_begin(db_.group(), state_kinds_end));
  rocksdb::ReadOptions options;
  options.snapshot = from.at;
  options.fill_cache = false;
  rocksdb::Slice upper{end};
  options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> i{db_.rocks().NewIterator(options, db_.in(column::state))};
  const size_t limit = std::min<size_t>(request.limit_bytes, most_chunk_bytes);
  field_writer records;
  snapshot_chunk chunk;
  for (i->Seek(std::max(here(request.from), here(state_begin(db_.group(), 0)))); i->Valid();
       i->Next()) {
    const auto key = in_generation(state_generation::even, i->key().ToString());
    const auto size = 2 * sizeof(uint32_t) + key.size() + i->value().size();
    if (records.size() > 0 && records.size() + size > limit) {
      chunk.next = key;
      break;
    }
    records.number(static_cast<uint32_t>(key.size())).text(key);
    records.number(static_cast<uint32_t>(i->value().size())).text(i->value().ToStringView());
  }
  if (!i->status().ok())
    database::give_up(db_.folder(), i->status().ToString());
  i.reset();
  {
    std::lock_guard guard{mutex_};
    --pinned_.at(reference->number).readers;
  }
  const auto text = records.take();
  const auto bytes = std::as_bytes(std::span{text});
  chunk.records.assign(bytes.begin(), bytes.end());
  chunk.hash = rolling_hash(0, chunk.records);
  return chunk;
}

} // namespace novacron
