#pragma once

#include "dwcp/errors.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace novacron {

// A batch is a *plan*, compressed or not:
//
//     varint length of the operations | operations | content
//
// Each operation is a tag and varints; it takes its bytes from the content, in
// order. Pages of one run have consecutive numbers (offset / page size); `step`
// is the distance from the number after the run before, zigzag; each batch
// starts at number 0 of block 0. Compressed, the plan's length (u32) stands
// before it. With a page store (`page_store.hpp`), each plain page is kept there
// in the order of the operations; what refers to it stands below `block`.

enum class batch_operation : uint8_t {
  opaque = 0,     ///< length: content as it is
  pages = 1,      ///< step, count: pages of the same block, in QEMU's plainest form
  zero_pages = 2, ///< step, count: the same, without content
  other_page = 3, ///< length of the header: header and page are content
  other_zero = 4, ///< length of the header, which is content
  block = 5,      ///< index of the RAM block that the pages from here on are of
  same_pages
  = 6, ///< step, count, distance (zigzag): each is what is held of the page at a distance
  changed_pages
  = 7,             ///< step, count: content is each page's difference (XOR) from what is held of it
  store_state = 8, ///< the lower 63 bits of the store's state so far
  lent_pages
  = 9, ///< step, count, distance (zigzag): each is the lent page whose number is at a distance
};

/// How a batch's plan is packed.
enum class batch_codec : uint8_t {
  plain = 0,
  zstd = 1,      ///< all batches of a lane are one stream of zstd's
  zstd_anew = 2, ///< the same; this one begins another
};

/// What a batch is closed at.
inline constexpr size_t batch_target_bytes = 1u << 20;
/// Batches from one look at the stores' states to the next.
inline constexpr uint64_t store_state_batches = 256;
/// Bounds of a batch, checked before anything is allocated.
inline constexpr size_t max_batch_raw_bytes = 2u << 20;
inline constexpr size_t max_plan_bytes = 2 * max_batch_raw_bytes + 4096;
inline constexpr size_t max_batch_wire_bytes = max_plan_bytes + max_plan_bytes / 128 + 4096;
/// Memory that the decompressor may need, as a power of two.
inline constexpr int batch_window_log = 22;

/// A batch that breaks the format.
failure broken_batch(const std::string& why);

/// LEB128: seven bits a byte, least significant first.
inline void put_varint(std::vector<std::byte>& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<std::byte>(value | 0x80));
  out.push_back(static_cast<std::byte>(value));
}

/// What a varint holds.
inline constexpr uint64_t varint_bits = ~uint64_t{0} >> 1;

/// Takes a varint from the front of `in`; nothing when it is cut or too long.
inline std::optional<uint64_t> take_varint(std::span<const std::byte>& in) {
  uint64_t value = 0;
  for (size_t i = 0; i < in.size() && i < 9; ++i) {
    const auto byte = std::to_integer<uint64_t>(in[i]);
    value |= (byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      in = in.subspan(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

/// Small distances of either sign as small numbers: 0, -1, 1, -2, …
constexpr uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t unzigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

/// Pages of a run have numbers below this.
inline constexpr uint64_t max_page_number = uint64_t{1} << 52;

} // namespace novacron
