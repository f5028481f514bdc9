#include "dwcp/codec/batch_decoder.hpp"

#include "messages/big_endian.hpp"
#include "messages/page_record.hpp"
#include "messages/page_stream.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

namespace novacron {

namespace {

namespace flag = qemu_stream::ram_flag;

/// Executes a plan's operations, one after the other, into `raw`.
class plan_runner {
public:
  plan_runner(std::span<const std::byte> operations, std::span<const std::byte> content,
              size_t raw_bytes, page_store& store, page_lender* lender, const page_watch& watch,
              std::vector<std::byte>& raw)
      : operations_{operations}, content_{content},
        raw_bytes_{raw_bytes}, store_{store}, lender_{lender}, watch_{watch}, raw_{raw} {
    // nop
  }

  /// Whether the plan makes exactly the bytes that were announced.
  bool run(decoded_batch& counts) {
    while (!operations_.empty())
      if (!step(counts))
        return false;
    return content_.empty() && raw_.size() == raw_bytes_;
  }

private:
  bool step(decoded_batch& counts) {
    const auto tag = static_cast<batch_operation>(operations_[0]);
    operations_ = operations_.subspan(1);
    switch (tag) {
    case batch_operation::opaque: {
      const auto length = take_varint(operations_);
      counts.opaque_bytes += length.value_or(0);
      return length && copy(*length);
    }
    case batch_operation::pages:
    case batch_operation::zero_pages:
    case batch_operation::same_pages:
    case batch_operation::changed_pages:
    case batch_operation::lent_pages:
      return run_of_pages(tag, counts);
    case batch_operation::block: {
      const auto index = take_varint(operations_);
      block_ = static_cast<uint32_t>(index.value_or(0));
      return index && *index <= UINT32_MAX;
    }
    case batch_operation::store_state: {
      const auto state = take_varint(operations_);
      return state && *state == (store_.state() & varint_bits);
    }
    case batch_operation::other_page: {
      const auto length = take_varint(operations_);
      ++counts.full_pages;
      return length && copy(*length) && copy(page_size);
    }
    case batch_operation::other_zero: {
      const auto length = take_varint(operations_);
      ++counts.zero_pages;
      return length && copy(*length);
    }
    }
    return false;
  }

  bool run_of_pages(batch_operation kind, decoded_batch& counts) {
    const bool zero = kind == batch_operation::zero_pages;
    const size_t each = sizeof(uint64_t) + (zero ? 1 : page_size);
    const auto step_taken = take_varint(operations_);
    const auto count = step_taken ? take_varint(operations_) : std::nullopt;
    if (!count || *count > room() / each)
      return false;
    const bool refers = kind == batch_operation::same_pages || kind == batch_operation::lent_pages;
    const auto distance = refers ? take_varint(operations_) : 0;
    const uint64_t first = next_page_ + static_cast<uint64_t>(unzigzag(*step_taken));
    if (!distance || first >= max_page_number || *count > max_page_number - first)
      return false;
    for (uint64_t page = first; page < first + *count; ++page) {
      put_big_endian(raw_, page * page_size | (zero ? flag::zero : flag::page) | flag::same_block);
      if (zero)
        raw_.push_back(std::byte{0});
      else if (!make_page(kind, page, unzigzag(*distance)))
        return false;
    }
    next_page_ = first + *count;
    (zero ? counts.zero_pages : counts.full_pages) += *count;
    return true;
  }

  /// Appends a page's content, and keeps it.
  bool make_page(batch_operation kind, uint64_t page, int64_t distance) {
    const page_place place{block_, page};
    if (kind == batch_operation::same_pages) {
      const page_place source{block_, page + static_cast<uint64_t>(distance)};
      const auto held = store_.find(source);
      if (held.empty())
        return false;
      raw_.insert(raw_.end(), held.begin(), held.end());
      store_.refer(place, source);
      return true;
    }
    if (kind == batch_operation::lent_pages)
      raw_.resize(raw_.size() + page_size);
    else if (!copy(page_size))
      return false;
    const auto content = std::span{raw_}.last<page_size>();
    if (kind == batch_operation::lent_pages
        && (lender_ == nullptr || !lender_->read(page + static_cast<uint64_t>(distance), content)))
      return false;
    if (kind == batch_operation::changed_pages) {
      const auto before = store_.find(place);
      if (before.empty())
        return false;
      std::ranges::transform(content, before, content.begin(), std::bit_xor{});
    }
    store_.keep(place, content);
    if (watch_)
      watch_(place, content);
    return true;
  }

  bool copy(uint64_t length) {
    if (length > content_.size() || length > room())
      return false;
    const auto some = content_.first(length);
    raw_.insert(raw_.end(), some.begin(), some.end());
    content_ = content_.subspan(length);
    return true;
  }

  [[nodiscard]] size_t room() const { return raw_bytes_ - raw_.size(); }

  std::span<const std::byte> operations_;
  std::span<const std::byte> content_;
  size_t raw_bytes_;
  page_store& store_;
  page_lender* lender_;
  const page_watch& watch_;
  std::vector<std::byte>& raw_;
  uint32_t block_ = 0;
  uint64_t next_page_ = 0;
};

} // namespace

batch_decoder::batch_decoder(const chain_value& start, size_t store_bytes, unsigned lanes)
    : lanes_(lanes), chain_{start}, store_{store_bytes} {
  // nop
}

result<decoded_batch> batch_decoder::decode(const batch_announcement& announced,
                                            std::span<const std::byte> payload) {
  if (announced.raw_bytes > max_batch_raw_bytes)
    return broken_batch("announces " + std::to_string(announced.raw_bytes) + " bytes, more than "
                        + std::to_string(max_batch_raw_bytes));
  const auto plan = lanes_[batches_++ % lanes_.size()].unpack(announced.codec, payload);
  if (!plan)
    return plan.error();
  auto decoded = execute(*plan, announced.raw_bytes);
  if (!decoded)
    return decoded;
  chain_.add(decoded->raw);
  if (chain_.seal() != announced.chain)
    return make_failure(dwcp_errc::digest_mismatch,
                        "batch of guest memory: its digest is not the sender's, so nothing of it "
                        "was released; start the migration again");
  return decoded;
}

result<decoded_batch> batch_decoder::execute(std::span<const std::byte> plan, size_t raw_bytes) {
  const auto length = take_varint(plan);
  if (!length || *length > plan.size())
    return broken_batch("its operations are cut");
  raw_.clear();
  raw_.reserve(raw_bytes);
  decoded_batch decoded;
  plan_runner runner{
      plan.first(*length), plan.subspan(*length), raw_bytes, store_, lender_, watch_, raw_};
  if (!runner.run(decoded))
    return broken_batch("its operations don't make the bytes that it announces");
  decoded.raw = raw_;
  return decoded;
}

} // namespace novacron
