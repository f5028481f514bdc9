#pragma once

#include "dwcp/codec/batch_format.hpp"
#include "dwcp/codec/digest_chain.hpp"
#include "dwcp/errors.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace novacron {

/// What a frame is. S: source to destination, D: the other way.
enum class frame_kind : uint8_t {
  open = 1,    ///< S, first on each connection: the ticket
  accepted,    ///< D: the connection is part of the session
  batch,       ///< S: sequence, chain; a part of the stream
  end,         ///< S: sequence, chain; the stream is over
  ack,         ///< D: batches below `sequence` were released; their chain
  return_path, ///< D: what the destination's QEMU says to the source's
  return_end,  ///< D: and that was all
  ended,       ///< D: after `end`, both directions are done; the chain of all
  keepalive,   ///< either
  abort,       ///< either: the session has failed; u8 `dwcp_errc`, text
  ask,         ///< a controller to another's door: a part of a snapshot of the cluster's state
  part,        ///< the answer: the part
  withdrawn,   ///< or: the snapshot isn't lent any more
  lent,        ///< D: digests of pages that it lends, from number `sequence` on; any may be lost
};

/// What stands before each frame's payload.
struct frame_header {
  frame_kind kind = frame_kind::keepalive;
  batch_codec codec = batch_codec::plain;
  uint64_t session = 0; ///< drawn by the source; the same on all its connections
  uint64_t sequence = 0;
  uint32_t records = 0;
  uint32_t round = 0;
  uint32_t raw_bytes = 0;
  uint32_t wire_bytes = 0; ///< of the payload
  chain_value chain{};

  friend bool operator==(const frame_header&, const frame_header&) = default;
};

struct frame {
  frame_header header; ///< `wire_bytes` is set by `encode`
  std::vector<std::byte> payload;
};

inline constexpr uint32_t frame_magic = 0x4457'4350; ///< "DWCP"
inline constexpr uint8_t frame_version = 1;
inline constexpr size_t frame_header_bytes = 72;
inline constexpr size_t max_return_bytes = 64u << 10;
inline constexpr size_t max_abort_bytes = 1024;
inline constexpr size_t max_ask_bytes = 16u << 10;
inline constexpr size_t max_part_bytes = (1u << 20) + (128u << 10);
inline constexpr size_t max_lent_bytes = 64u << 10;

/// What a frame takes on the wire, and in memory.
inline size_t size_of(const frame& x) {
  return x.payload.size() + frame_header_bytes;
}

using frame_header_image = std::array<std::byte, frame_header_bytes>;

frame_header_image encode(const frame_header& header);

/// Strict: `malformed` for another magic, an unknown version, kind or codec, a
/// size beyond the kind's bound, or a codec or raw size that isn't a batch's.
result<frame_header> decode_frame_header(std::span<const std::byte, frame_header_bytes> image);

/// Says why a session has failed.
frame abort_frame(uint64_t session, const failure& why);
/// The peer's reason, as ours.
failure read_abort(std::span<const std::byte> payload);

} // namespace novacron
