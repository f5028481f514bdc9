#include "tests/bench/migration/zstd_stream.hpp"

#include <stdexcept>
#include <zstd.h>

namespace novacron::bench {

namespace {

constexpr int window_log = 27;

size_t checked(size_t answer) {
  if (ZSTD_isError(answer) != 0)
    throw std::runtime_error{ZSTD_getErrorName(answer)};
  return answer;
}

} // namespace

void zstd_stream::context_deleter::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}

zstd_stream::zstd_stream(int level) : context_{ZSTD_createCCtx()}, out_(ZSTD_CStreamOutSize()) {
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_enableLongDistanceMatching, 1));
  checked(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, window_log));
}

void zstd_stream::add(std::span<const std::byte> bytes) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (in.pos < in.size) {
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    checked(ZSTD_compressStream2(context_.get(), &out, &in, ZSTD_e_continue));
    size_ += out.pos;
  }
}

uint64_t zstd_stream::finish() {
  for (size_t left = 1; left > 0;) {
    ZSTD_inBuffer in{nullptr, 0, 0};
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    left = checked(ZSTD_compressStream2(context_.get(), &out, &in, ZSTD_e_end));
    size_ += out.pos;
  }
  return size_;
}

} // namespace novacron::bench
