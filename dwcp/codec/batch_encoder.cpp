#include "dwcp/codec/batch_encoder.hpp"

#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"

#include <algorithm>
#include <cstring>

namespace novacron {

namespace {

/// The head of a page in QEMU's plainest form, whose bytes follow from the
/// page's number alone.
bool is_plain(const page_record& record, uint64_t flag, size_t header_bytes) {
  return record.header.size() == header_bytes
         && get_big_endian<uint64_t>(record.header)
                == (record.offset | flag | qemu_stream::ram_flag::same_block);
}

/// A page of which more words than this have changed is sent as it is: its
/// difference would be no smaller, and what it is now may be a better neighbour.
constexpr size_t words_changed_at_most = page_size / sizeof(uint64_t) / 2;

/// The difference of a page from an earlier version, when little has changed.
bool difference(page_content now, std::span<const std::byte> before,
                std::array<std::byte, page_size>& out) {
  size_t changed = 0;
  for (size_t at = 0; at < page_size; at += sizeof(uint64_t)) {
    uint64_t a = 0;
    uint64_t b = 0;
    std::memcpy(&a, now.data() + at, sizeof a);
    std::memcpy(&b, before.data() + at, sizeof b);
    a ^= b;
    std::memcpy(out.data() + at, &a, sizeof a);
    changed += a != 0 ? 1 : 0;
  }
  return changed <= words_changed_at_most;
}

} // namespace

batch_encoder::batch_encoder(const chain_value& start, size_t store_bytes)
    : chain_{start}, store_{store_bytes}, index_{store_.capacity()} {
  // nop
}

void batch_encoder::add(const page_record& record) {
  chain_.add(record.header);
  chain_.add(record.bytes);
  raw_bytes_ += record.size();
  ++records_;
  switch (record.kind) {
  case record_kind::opaque:
    extend(batch_operation::opaque, 0, record.bytes.size());
    append(record.bytes);
    return;
  case record_kind::page:
    if (is_plain(record, qemu_stream::ram_flag::page, sizeof(uint64_t))) {
      add_page(record);
      return;
    }
    break;
  case record_kind::zero_page:
    ++decisions_.zero;
    if (is_plain(record, qemu_stream::ram_flag::zero, sizeof(uint64_t) + 1)) {
      extend(batch_operation::zero_pages, record.offset / page_size, 1);
      return;
    }
    break;
  }
  decisions_.full += record.kind == record_kind::page ? 1 : 0;
  close_run();
  put_operation(record.kind == record_kind::page ? batch_operation::other_page
                                                 : batch_operation::other_zero,
                record.header.size());
  append(record.header);
  append(record.bytes);
}

/// The planner: decides, in the stream's order, how a page is sent.
void batch_encoder::add_page(const page_record& record) {
  const page_place place{record.block, record.offset / page_size};
  if (store_.capacity() == 0) {
    ++decisions_.full;
    extend(batch_operation::pages, place.page, 1);
    return append(record.bytes);
  }
  turn_to(place.block);
  const page_content content = record.bytes.first<page_size>();
  const auto before = store_.find(place);
  std::array<std::byte, page_size> changes;
  const bool little = !before.empty() && difference(content, before, changes);
  if (little && std::ranges::equal(content, before)) {
    ++decisions_.same;
    extend(batch_operation::same_pages, place.page, 1, 0);
    return store_.refer(place, place);
  }
  const auto hash = content_index::hash(content);
  if (const auto same = index_.find(hash, place.block, content, store_)) {
    ++decisions_.same;
    extend(batch_operation::same_pages, place.page, 1, static_cast<int64_t>(*same - place.page));
    return store_.refer(place, {place.block, *same});
  }
  if (const auto lent = find_lent(place, content)) {
    ++decisions_.lent;
    lent_distance_ = static_cast<int64_t>(*lent - place.page);
    extend(batch_operation::lent_pages, place.page, 1, lent_distance_);
    return keep(hash, place, content);
  }
  if (little) {
    ++decisions_.changed;
    extend(batch_operation::changed_pages, place.page, 1);
    append(changes);
  } else {
    ++decisions_.full;
    extend(batch_operation::pages, place.page, 1);
    append(content);
  }
  keep(hash, place, content);
}

/// Most of a guest that comes back lies in one run.
std::optional<uint64_t> batch_encoder::find_lent(page_place place, page_content content) const {
  if (!use_lent_ || lent_.pages() == 0)
    return std::nullopt;
  return lent_.find(content, place.page + static_cast<uint64_t>(lent_distance_));
}

void batch_encoder::keep(uint64_t hash, page_place place, page_content content) {
  store_.keep(place, content);
  index_.put(hash, place);
  if (watch_)
    watch_(place, content);
}

encoded_batch batch_encoder::seal() {
  close_run();
  std::vector<std::byte> plan;
  plan.reserve(operations_.size() + content_.size() + 10);
  put_varint(plan, operations_.size());
  plan.insert(plan.end(), operations_.begin(), operations_.end());
  plan.insert(plan.end(), content_.begin(), content_.end());

  encoded_batch batch;
  batch.raw_bytes = static_cast<uint32_t>(raw_bytes_);
  batch.records = records_;
  batch.chain = chain_.seal();
  batch.plan = std::move(plan);
  operations_.clear();
  content_.clear();
  raw_bytes_ = 0;
  records_ = 0;
  block_ = 0;
  next_page_ = 0;
  if (++batches_ % store_state_batches == 0 && store_.capacity() > 0)
    put_operation(batch_operation::store_state, store_.state() & varint_bits);
  return batch;
}

void batch_encoder::extend(batch_operation operation, uint64_t page, uint64_t count,
                           int64_t distance) {
  const bool continues
      = run_.count > 0 && run_.operation == operation && run_.distance == distance
        && (operation == batch_operation::opaque || run_.first + run_.count == page);
  if (!continues) {
    close_run();
    run_ = {operation, page, 0, distance};
  }
  run_.count += count;
}

void batch_encoder::turn_to(uint32_t block) {
  if (block == block_)
    return;
  close_run();
  put_operation(batch_operation::block, block);
  block_ = block;
}

void batch_encoder::put_operation(batch_operation operation, uint64_t number) {
  operations_.push_back(std::byte{static_cast<uint8_t>(operation)});
  put_varint(operations_, number);
}

void batch_encoder::close_run() {
  if (run_.count == 0)
    return;
  operations_.push_back(std::byte{static_cast<uint8_t>(run_.operation)});
  if (run_.operation != batch_operation::opaque) {
    put_varint(operations_, zigzag(static_cast<int64_t>(run_.first - next_page_)));
    next_page_ = run_.first + run_.count;
  }
  put_varint(operations_, run_.count);
  if (run_.operation == batch_operation::same_pages
      || run_.operation == batch_operation::lent_pages)
    put_varint(operations_, zigzag(run_.distance));
  run_.count = 0;
}

void batch_encoder::append(std::span<const std::byte> content) {
  content_.insert(content_.end(), content.begin(), content.end());
}

} // namespace novacron
