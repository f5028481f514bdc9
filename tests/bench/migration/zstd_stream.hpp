#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct ZSTD_CCtx_s;

namespace novacron::bench {

/// `zstd -<level> --long=27`, by the library: one stream, and only its size is kept.
class zstd_stream {
public:
  explicit zstd_stream(int level);

  void add(std::span<const std::byte> bytes);
  /// Ends the stream: its size in bytes.
  uint64_t finish();

private:
  struct context_deleter {
    void operator()(ZSTD_CCtx_s* context) const;
  };

  std::unique_ptr<ZSTD_CCtx_s, context_deleter> context_;
  std::vector<std::byte> out_;
  uint64_t size_ = 0;
};

} // namespace novacron::bench
