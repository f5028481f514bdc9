#pragma once

#include "messages/page_record.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// The format of QEMU's migration stream, as far as it is known here: what
/// QEMU 7.2 writes for a pre-copy migration without multifd. Numbers are
/// big-endian. In QEMU's sources: migration/savevm.c, migration/ram.c.
namespace qemu_stream {

inline constexpr uint32_t magic = 0x5145'564d; ///< "QEVM"
inline constexpr uint32_t version = 3;
inline constexpr uint32_t ram_version = 4; ///< of the section named "ram"
inline constexpr std::string_view ram_name = "ram";

/// First byte of each piece of the stream's top level.
enum class section : uint8_t {
  eof = 0x00,
  start = 0x01, ///< u32 id, u8 length, name, u32 instance, u32 version, content
  part = 0x02,  ///< u32 id, content
  end = 0x03,   ///< u32 id, content
  full = 0x04,  ///< as start; a device's state, its content has no length
  subsection = 0x05,
  description = 0x06,   ///< u32 length, JSON
  configuration = 0x07, ///< u32 length, machine's name
  command = 0x08,       ///< u16 command, u16 length, content
  footer = 0x7e,        ///< u32 id of the section that it ends
};

inline constexpr uint16_t command_open_return_path = 1;

/// Low bits of the u64 that starts each piece of a RAM section; the other bits
/// are the page's offset in its block. Without `same_block` u8 length and the
/// block's name follow.
namespace ram_flag {
inline constexpr uint64_t zero = 0x02;  ///< u8 fill byte follows
inline constexpr uint64_t sizes = 0x04; ///< total; then for each block u8 length, name, u64 size
inline constexpr uint64_t page = 0x08;  ///< the page follows
inline constexpr uint64_t end = 0x10;   ///< of this section's content
inline constexpr uint64_t same_block = 0x20; ///< as the piece before
} // namespace ram_flag

/// The return path's messages, destination to source: u16 type, u16 length, content.
inline constexpr uint16_t return_shut = 1; ///< u32: 0 when the guest was loaded
inline constexpr uint16_t return_pong = 2; ///< u32 of the ping
inline constexpr size_t return_header_bytes = 4;

/// The whole message with which a destination says that it is done.
std::vector<std::byte> shut_message(uint32_t error = 0);

} // namespace qemu_stream

/// A piece of a guest's memory that has a name, such as "pc.ram".
struct ram_block {
  std::string name;        ///< at most 255 bytes
  uint64_t size_bytes = 0; ///< whole pages

  friend bool operator==(const ram_block&, const ram_block&) = default;
};

/// Writes what a QEMU would write for a guest with the given memory: for guests
/// that exist only in a simulation, and for tests.
///
///     begin · (begin_part · (page | zero_page)* · end_part)* · begin_last · … · end_part · finish
///
/// Pure: appends to a buffer of its own, which `take` empties.
class stream_writer {
public:
  explicit stream_writer(std::vector<ram_block> blocks, bool return_path = true);

  /// The stream's head and the list of blocks.
  void begin(std::string_view machine = "pc-q35-7.2");
  /// Opens a section of pages while the guest runs.
  void begin_part();
  /// Opens the last section of pages; the guest has stopped.
  void begin_last();
  /// `content` is one page; `offset` lies within the block, on a page's border.
  void page(uint32_t block, uint64_t offset, std::span<const std::byte> content);
  void zero_page(uint32_t block, uint64_t offset);
  /// Closes the section that is open.
  void end_part();
  /// One device's state, then the stream's end. The stream doesn't say how long
  /// `device_state` is.
  void finish(std::span<const std::byte> device_state);

  /// What was written since the last call.
  std::vector<std::byte> take();
  /// Bytes that `take` would return.
  [[nodiscard]] size_t pending_bytes() const { return out_.size(); }

private:
  void section_head(qemu_stream::section kind);
  void page_head(uint32_t block, uint64_t offset, uint64_t flag);
  void footer();

  std::vector<ram_block> blocks_;
  bool return_path_;
  std::optional<uint32_t> current_; ///< block of the piece before, in this section
  std::vector<std::byte> out_;
};

} // namespace novacron
