#include "storage/log/state_store.hpp"

#include "storage/errors.hpp"
#include "storage/log/fields.hpp"
#include "storage/log/keys.hpp"
#include "storage/log/rolling_hash.hpp"

#include <limits>
#include <memory>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

namespace novacron {

namespace {

rocksdb::Slice slice(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span{text});
}

} // namespace

void state_store::put(rocksdb::WriteBatch& batch, const applied_batch& done,
                      applied_mark& mark) const {
  const auto group = db_.group();
  const auto state = db_.in(column::state);
  auto here = [&](std::string key) { return in_generation(written_, std::move(key)); };
  uint16_t ordinal = 0;
  for (size_t n = 0; n < done.changes.size(); ++n) {
    const auto& each = done.changes[n];
    const auto key = here(state_key(group, kind_of(type_of(each.record)), id_of(each.record)));
    if (each.removed)
      batch.Delete(state, key);
    else
      batch.Put(state, key, slice(encode(stored_record{each.record})));
    const auto encoded = encode(each);
    mark.hash = rolling_hash(mark.hash, canonical_form(encoded));
    field_writer value;
    value.number(static_cast<uint16_t>(done.audience[n].size()));
    for (auto host : done.audience[n])
      value.number(host.value.high).number(host.value.low);
    value.bytes(encoded);
    batch.Put(db_.in(column::changes), change_key(group, each.revision, ordinal++), value.take());
  }
  for (const auto& vm : done.noted)
    batch.Put(state, here(state_key(group, state_kind::vm, vm.id.value)),
              slice(encode(stored_record{vm})));
  for (const auto& lease : done.leases)
    batch.Put(state, here(state_key(group, state_kind::lease, lease.host.value)),
              slice(encode(lease)));
  for (const auto& answer : done.answers)
    batch.Put(state, here(answer_state_key(group, answer_key(answer.asked))),
              slice(encode(answer)));
  for (const auto& key : done.expired_answers)
    batch.Delete(state, here(answer_state_key(group, key)));
}

void state_store::restamp(rocksdb::WriteBatch& batch, const cluster_state& from,
                          uint64_t revision) const {
  const auto counts = generation();
  for (auto record : from.records()) {
    std::visit([&](auto& x) { x.revision = revision; }, record);
    const auto key = state_key(db_.group(), kind_of(type_of(record)), id_of(record));
    batch.Put(db_.in(column::state), in_generation(counts, key),
              slice(encode(stored_record{record})));
  }
}

void state_store::put_mark(rocksdb::WriteBatch& batch, const applied_mark& mark) const {
  batch.Put(db_.in(column::meta), meta_key(db_.group(), "applied"),
            field_writer{}
                .number(mark.index)
                .number(static_cast<uint64_t>(mark.now.time_since_epoch().count()))
                .number(mark.hash)
                .number(mark.version)
                .take());
}

void state_store::forget_changes(rocksdb::WriteBatch& batch, uint64_t revision) const {
  batch.DeleteRange(db_.in(column::changes), change_key(db_.group(), 0),
                    change_key(db_.group(), revision + 1));
  batch.Put(db_.in(column::meta), meta_key(db_.group(), "changes"),
            field_writer{}.number(revision).take());
}

void state_store::forget_state(rocksdb::WriteBatch& batch, state_generation which) const {
  batch.DeleteRange(db_.in(column::state), in_generation(which, state_begin(db_.group(), 0)),
                    in_generation(which, state_begin(db_.group(), state_kinds_end)));
}

void state_store::flip(rocksdb::WriteBatch& batch, state_generation which,
                       const applied_mark& mark) const {
  batch.Put(db_.in(column::meta), meta_key(db_.group(), "generation"),
            field_writer{}.number(static_cast<uint8_t>(which)).take());
  put_mark(batch, mark);
  batch.DeleteRange(db_.in(column::changes), change_key(db_.group(), 0),
                    change_key(db_.group(), std::numeric_limits<uint64_t>::max()));
  batch.Put(db_.in(column::meta), meta_key(db_.group(), "changes"),
            field_writer{}.number(mark.index).take());
  forget_state(batch, other(which));
}

state_generation state_store::generation(const rocksdb::Snapshot* at) const {
  const auto text = db_.meta("generation", at);
  return !text.empty() && text[0] == static_cast<char>(state_generation::odd)
             ? state_generation::odd
             : state_generation::even;
}

applied_mark state_store::mark(const rocksdb::Snapshot* at) const {
  const auto text = db_.meta("applied", at);
  if (text.empty())
    return {};
  field_reader fields{text};
  applied_mark mark;
  mark.index = fields.number<uint64_t>();
  mark.now = log_time{std::chrono::milliseconds{static_cast<int64_t>(fields.number<uint64_t>())}};
  mark.hash = fields.number<uint64_t>();
  if (!fields.at_end())
    mark.version = fields.number<uint32_t>();
  return mark;
}

uint64_t state_store::forgotten(const rocksdb::Snapshot* at) const {
  const auto text = db_.meta("changes", at);
  return text.empty() ? 0 : field_reader{text}.number<uint64_t>();
}

result<applied_mark> state_store::load(cluster_state& into) {
  written_ = generation();
  auto damaged = [&](const std::string& what) {
    return make_failure(storage_errc::damaged,
                        "storage: the state in " + db_.folder().string() + " is damaged: " + what
                            + "; restore a backup into an empty folder, under a new timeline");
  };
  const auto end = in_generation(written_, state_begin(db_.group(), state_kinds_end));
  rocksdb::ReadOptions options;
  rocksdb::Slice upper{end};
  options.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> i{db_.rocks().NewIterator(options, db_.in(column::state))};
  auto load = [&]<class T>(std::type_identity<T>) -> result<void> {
    auto value = decode<T>(bytes_of(i->value().ToStringView()));
    if (!value)
      return damaged(value.error().message);
    if constexpr (std::is_same_v<T, stored_record>)
      into.load(std::move(value->record));
    else
      into.load(std::move(*value));
    return {};
  };
  for (i->Seek(in_generation(written_, state_begin(db_.group(), 0))); i->Valid(); i->Next()) {
    const auto kind = kind_of_state_key(i->key().ToStringView());
    if (!kind)
      return damaged("a key names no kind of record");
    auto loaded = *kind == state_kind::lease    ? load(std::type_identity<lease_record>{})
                  : *kind == state_kind::answer ? load(std::type_identity<stored_answer>{})
                                                : load(std::type_identity<stored_record>{});
    if (!loaded)
      return loaded.error();
  }
  if (!i->status().ok())
    return damaged(i->status().ToString());
  auto found = mark();
  into.loaded(found.index, found.now);
  return found;
}

std::optional<stored_change> read_stored_change(std::string_view value) {
  field_reader fields{value};
  stored_change change;
  for (auto n = fields.number<uint16_t>(); n > 0 && fields.good(); --n) {
    node_id host;
    host.value.high = fields.number<uint64_t>();
    host.value.low = fields.number<uint64_t>();
    change.audience.push_back(host);
  }
  change.encoded = bytes_of(fields.rest());
  if (!fields.good())
    return {};
  return change;
}

} // namespace novacron
