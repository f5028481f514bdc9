#pragma once

#include "messages/page_record.hpp"
#include "messages/page_stream.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace novacron {

/// What a splitter has seen. Counters only grow.
struct split_statistics {
  uint64_t bytes = 0;
  uint64_t full_pages = 0;
  uint64_t zero_pages = 0;
  uint32_t rounds = 0; ///< passes over the guest's memory that were begun
  std::array<uint64_t, opaque_reasons> opaque_bytes{}; ///< by reason

  [[nodiscard]] uint64_t all_opaque_bytes() const;
};

/// Cuts QEMU's migration stream into pages and the rest.
///
/// The problem: the stream is meant to be read by QEMU alone. It can't be
/// skimmed, device states have no length, and every version may add to it. So
/// only what is known for certain is taken apart; at the first byte that isn't,
/// everything goes on raw until a section of the guest's memory is recognised
/// again. A wrong guess can cost compression, never a byte: the records joined
/// are the stream, whatever it was.
///
/// Pure and deterministic: the same bytes give the same pages and the same
/// joined bytes, however they were chopped.
class stream_splitter {
public:
  using sink = std::function<void(const page_record&)>;

  /// Takes the next bytes; hands out what is complete. Opaque records hold at
  /// most `max_opaque_bytes`. At most a piece that is not complete, less than
  /// 5 KiB, stays behind.
  void push(std::span<const std::byte> input, const sink& out);

  /// The stream has ended: hands out what stayed behind.
  void finish(const sink& out);

  [[nodiscard]] const split_statistics& statistics() const { return statistics_; }
  /// Bytes that stayed behind.
  [[nodiscard]] size_t held_bytes() const { return buffer_.size() - at_; }
  /// A section of the guest's memory was seen.
  [[nodiscard]] bool memory_seen() const { return ram_id_.has_value(); }
  /// All of the guest's memory was seen, up to the end of its last section.
  [[nodiscard]] bool memory_complete() const { return memory_complete_; }
  /// The last section of the guest's memory has begun: QEMU has stopped the guest.
  [[nodiscard]] bool completing() const { return last_section_ || memory_complete_; }
  /// The stream asked for a return path, so it ends with the destination's word.
  [[nodiscard]] bool wants_return_path() const { return wants_return_path_; }

  static constexpr size_t max_opaque_bytes = 64u << 10;

private:
  enum class state : uint8_t { head, top, blocks, memory, raw };
  enum class step : uint8_t { done, starved, unknown };
  struct block {
    std::vector<std::byte> name;
    uint64_t size_bytes = 0;
  };

  step parse(const sink& out);
  step parse_head(const sink& out);
  step parse_top(const sink& out);
  step parse_start(const sink& out);
  step parse_part(const sink& out, bool last);
  step parse_command(const sink& out);
  step parse_block(const sink& out);
  step parse_memory(const sink& out);
  step parse_page(const sink& out, uint64_t head);
  void pass_raw(const sink& out);
  [[nodiscard]] size_t find_memory();

  [[nodiscard]] std::span<const std::byte> ahead() const;
  void emit_opaque(size_t count, opaque_reason reason, const sink& out);
  std::optional<uint32_t> find_block(std::span<const std::byte> name);
  void count_round(uint32_t block_index, uint64_t offset);
  void compact();

  state state_ = state::head;
  std::vector<std::byte> buffer_;
  size_t at_ = 0;       ///< all before it was handed out
  size_t raw_from_ = 0; ///< in raw: no head of a section is sought before it
  opaque_reason why_raw_ = opaque_reason::not_a_stream;
  std::vector<block> blocks_;
  uint64_t sizes_left_ = 0; ///< bytes of memory whose blocks the list still owes
  std::optional<uint32_t> ram_id_;
  std::optional<uint32_t> current_;
  bool last_section_ = false;
  bool memory_complete_ = false;
  bool wants_return_path_ = false;
  uint32_t last_block_ = 0;
  uint64_t last_offset_ = 0;
  split_statistics statistics_;
};

} // namespace novacron
