#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace novacron {

/// A guest page's size on the wire of a migration (QEMU's target page on x86).
inline constexpr size_t page_size = 4096;

/// What a guest's migration stream consists of, whoever produced it: a page, a
/// zero page, or bytes that nobody interprets.
enum class record_kind : uint8_t { page, zero_page, opaque };

/// Why bytes of a stream travel raw.
enum class opaque_reason : uint8_t {
  framing,         ///< heads and footers of sections, the list of blocks, commands
  device_state,    ///< what follows the guest's memory; nothing says how long it is
  not_a_stream,    ///< it doesn't begin like QEMU's
  unknown_section, ///< not the guest's memory, and before its end
  unknown_page,    ///< a piece of memory in a form that isn't known here
  cut,             ///< the stream ended in the middle of a piece
};
inline constexpr size_t opaque_reasons = 6;

/// One piece of a guest's stream, in stream order. Writing `header`, then
/// `bytes` of each record, in order, yields the stream again, byte for byte.
/// The spans are the producer's and are good until its next call.
struct page_record {
  record_kind kind = record_kind::opaque;
  uint32_t block = 0;                ///< index of the RAM block, in the order of first mention
  uint64_t offset = 0;               ///< of the page in its block, in bytes
  std::span<const std::byte> header; ///< a page's bytes before its content; all of a zero page
  std::span<const std::byte> bytes;  ///< the page, or the opaque bytes; empty for a zero page

  /// Bytes of the stream that this record stands for.
  [[nodiscard]] size_t size() const { return header.size() + bytes.size(); }
};

} // namespace novacron
