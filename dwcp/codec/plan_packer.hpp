#pragma once

#include "dwcp/codec/batch_format.hpp"
#include "dwcp/errors.hpp"

#include <memory>
#include <span>
#include <vector>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace novacron {

/// A plan, packed or not, as it travels.
struct packed_plan {
  batch_codec codec = batch_codec::plain;
  std::vector<std::byte> payload;
};

/// Turns a packed plan into the plan again. Input is not trusted. One lane's.
class plan_unpacker {
public:
  plan_unpacker();

  /// The plan, good until the next call. `malformed` when it breaks the format;
  /// no further plan can be unpacked then.
  result<std::span<const std::byte>> unpack(batch_codec codec, std::span<const std::byte> payload);

private:
  struct context_deleter {
    void operator()(ZSTD_DCtx_s* context) const;
  };

  std::unique_ptr<ZSTD_DCtx_s, context_deleter> context_;
  std::vector<std::byte> plan_;
};

/// Packs plans on one lane: each may refer to those that the same packer packed
/// before, so they must be unpacked in the same order. Pure; one thread's.
class plan_packer {
public:
  plan_packer();

  /// `level` is zstd's; 0 leaves the plan as it is. Another level than before
  /// begins anew: what was packed till then is no longer referred to.
  packed_plan pack(std::vector<std::byte> plan, int level);

private:
  struct context_deleter {
    void operator()(ZSTD_CCtx_s* context) const;
  };

  void turn_to(int level);

  std::unique_ptr<ZSTD_CCtx_s, context_deleter> context_;
  int level_ = 0; ///< of the stream that is open; 0: none
};

} // namespace novacron
