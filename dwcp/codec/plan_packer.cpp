#include "dwcp/codec/plan_packer.hpp"

#include "messages/big_endian.hpp"

#include <new>
#include <stdexcept>
#include <zstd.h>

namespace novacron {

namespace {

size_t checked(size_t outcome) {
  if (ZSTD_isError(outcome) != 0)
    throw std::runtime_error{ZSTD_getErrorName(outcome)};
  return outcome;
}

} // namespace

void plan_packer::context_deleter::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

plan_packer::plan_packer() : context_{ZSTD_createCCtx()} {
  if (!context_)
    throw std::bad_alloc{};
}

packed_plan plan_packer::pack(std::vector<std::byte> plan, int level) {
  if (level == 0)
    return {batch_codec::plain, std::move(plan)};
  packed_plan packed{batch_codec::zstd, {}};
  if (level != level_) {
    if (level_ != 0)
      packed.codec = batch_codec::zstd_anew;
    turn_to(level);
  }
  auto& out = packed.payload;
  put_big_endian(out, static_cast<uint32_t>(plan.size()));
  const size_t start = out.size();
  out.resize(start + ZSTD_compressBound(plan.size()) + 64);
  ZSTD_inBuffer input{plan.data(), plan.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), start};
  // Flushed, so that the receiver can unpack it at once; not ended, so that the
  // next plan may refer to this one.
  while (checked(ZSTD_compressStream2(context_.get(), &output, &input, ZSTD_e_flush)) > 0)
    out.resize(out.size() + ZSTD_CStreamOutSize()), output = {out.data(), out.size(), output.pos};
  out.resize(output.pos);
  return packed;
}

/// zstd takes another level only at the beginning of a frame; the one that was
/// open is left without an end.
void plan_packer::turn_to(int level) {
  checked(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, batch_window_log));
  level_ = level;
}

failure broken_batch(const std::string& why) {
  return make_failure(dwcp_errc::malformed,
                      "batch of guest memory: " + why + "; both ends must run matching versions");
}

void plan_unpacker::context_deleter::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

plan_unpacker::plan_unpacker() : context_{ZSTD_createDCtx()} {
  if (!context_)
    throw std::bad_alloc{};
  checked(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, batch_window_log));
}

result<std::span<const std::byte>> plan_unpacker::unpack(batch_codec codec,
                                                         std::span<const std::byte> payload) {
  if (codec == batch_codec::plain)
    return payload;
  if (codec == batch_codec::zstd_anew)
    checked(ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only));
  if (payload.size() < sizeof(uint32_t))
    return broken_batch("has no length");
  const size_t length = get_big_endian<uint32_t>(payload);
  if (length > max_plan_bytes)
    return broken_batch("unpacks to " + std::to_string(length) + " bytes, more than "
                        + std::to_string(max_plan_bytes));
  plan_.resize(length + 1); // one more shows that there was more
  ZSTD_inBuffer input{payload.data(), payload.size(), sizeof(uint32_t)};
  ZSTD_outBuffer output{plan_.data(), plan_.size(), 0};
  while (input.pos < input.size && output.pos < output.size) {
    const size_t before = input.pos + output.pos;
    const size_t outcome = ZSTD_decompressStream(context_.get(), &output, &input);
    if (ZSTD_isError(outcome) != 0)
      return broken_batch(std::string{"zstd: "} + ZSTD_getErrorName(outcome));
    if (input.pos + output.pos == before)
      break;
  }
  if (output.pos != length || input.pos != input.size)
    return broken_batch("doesn't unpack to the length that it announces");
  return std::span<const std::byte>{plan_}.first(length);
}

} // namespace novacron
