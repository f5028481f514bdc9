#include "dwcp/codec/batch_encoder.hpp"

#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"

#include <new>
#include <stdexcept>
#include <zstd.h>

namespace novacron {

namespace {

/// The head of a page in QEMU's plainest form, whose bytes follow from the
/// page's number alone.
bool is_plain(const page_record& record, uint64_t flag, size_t header_bytes) {
  return record.header.size() == header_bytes
         && get_big_endian<uint64_t>(record.header)
                == (record.offset | flag | qemu_stream::ram_flag::same_block);
}

size_t checked(size_t outcome) {
  if (ZSTD_isError(outcome) != 0)
    throw std::runtime_error{ZSTD_getErrorName(outcome)};
  return outcome;
}

} // namespace

void batch_encoder::context_deleter::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

batch_encoder::batch_encoder(int level, const chain_value& start) : chain_{start} {
  if (level == 0)
    return;
  context_.reset(ZSTD_createCCtx());
  if (!context_)
    throw std::bad_alloc{};
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, batch_window_log));
}

void batch_encoder::add(const page_record& record) {
  chain_.add(record.header);
  chain_.add(record.bytes);
  raw_bytes_ += record.size();
  ++records_;
  const uint64_t page = record.offset / page_size;
  switch (record.kind) {
  case record_kind::opaque:
    extend(batch_operation::opaque, 0, record.bytes.size());
    append(record.bytes);
    return;
  case record_kind::page:
    if (is_plain(record, qemu_stream::ram_flag::page, sizeof(uint64_t))) {
      extend(batch_operation::pages, page, 1);
      append(record.bytes);
      return;
    }
    break;
  case record_kind::zero_page:
    if (is_plain(record, qemu_stream::ram_flag::zero, sizeof(uint64_t) + 1)) {
      extend(batch_operation::zero_pages, page, 1);
      return;
    }
    break;
  }
  close_run();
  operations_.push_back(std::byte{static_cast<uint8_t>(record.kind == record_kind::page
                                                           ? batch_operation::other_page
                                                           : batch_operation::other_zero)});
  put_varint(operations_, record.header.size());
  append(record.header);
  append(record.bytes);
}

encoded_batch batch_encoder::seal() {
  close_run();
  std::vector<std::byte> plan;
  plan.reserve(operations_.size() + content_.size() + 10);
  put_varint(plan, operations_.size());
  plan.insert(plan.end(), operations_.begin(), operations_.end());
  plan.insert(plan.end(), content_.begin(), content_.end());

  encoded_batch batch;
  batch.codec = context_ ? batch_codec::zstd : batch_codec::plain;
  batch.raw_bytes = static_cast<uint32_t>(raw_bytes_);
  batch.records = records_;
  batch.chain = chain_.seal();
  batch.payload = context_ ? compress(plan) : std::move(plan);
  operations_.clear();
  content_.clear();
  raw_bytes_ = 0;
  records_ = 0;
  next_page_ = 0;
  return batch;
}

void batch_encoder::extend(batch_operation operation, uint64_t page, uint64_t count) {
  const bool continues
      = run_.count > 0 && run_.operation == operation
        && (operation == batch_operation::opaque || run_.first + run_.count == page);
  if (!continues) {
    close_run();
    run_ = {operation, page, 0};
  }
  run_.count += count;
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
  run_.count = 0;
}

void batch_encoder::append(std::span<const std::byte> content) {
  content_.insert(content_.end(), content.begin(), content.end());
}

std::vector<std::byte> batch_encoder::compress(std::span<const std::byte> plan) {
  std::vector<std::byte> out;
  put_big_endian(out, static_cast<uint32_t>(plan.size()));
  const size_t start = out.size();
  out.resize(start + ZSTD_compressBound(plan.size()) + 64);
  ZSTD_inBuffer input{plan.data(), plan.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), start};
  // Flushed, so that the receiver can decode it at once; never ended, so that
  // the next batch may refer to this one.
  while (checked(ZSTD_compressStream2(context_.get(), &output, &input, ZSTD_e_flush)) > 0)
    out.resize(out.size() + ZSTD_CStreamOutSize()), output = {out.data(), out.size(), output.pos};
  out.resize(output.pos);
  return out;
}

} // namespace novacron
