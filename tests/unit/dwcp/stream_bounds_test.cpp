#include "dwcp/guest_stream/stream_joiner.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

using qemu_stream::section;
namespace flag = qemu_stream::ram_flag;

constexpr uint32_t ram_id = 2; ///< what `stream_writer` gives it

/// What a splitter made of a stream that came in pieces of 1000 bytes; checks
/// that it lost nothing, and held no more than it may.
struct outcome {
  split_statistics seen;
  bool memory_complete = false;

  explicit outcome(const bytes& stream) {
    bytes joined;
    stream_splitter splitter;
    const auto out = [&](const page_record& record) { join(record, joined); };
    for (size_t at = 0; at < stream.size(); at += 1000) {
      splitter.push(std::span{stream}.subspan(at, std::min<size_t>(1000, stream.size() - at)), out);
      CHECK(splitter.held_bytes() < 5120);
    }
    splitter.finish(out);
    CHECK(joined == stream);
    seen = splitter.statistics();
    memory_complete = splitter.memory_complete();
  }

  [[nodiscard]] uint64_t opaque(opaque_reason reason) const {
    return seen.opaque_bytes[static_cast<size_t>(reason)];
  }
};

void add(bytes& stream, const bytes& more) {
  stream.insert(stream.end(), more.begin(), more.end());
}

bytes section_head(section kind, uint32_t id) {
  bytes x{static_cast<std::byte>(kind)};
  put_big_endian(x, id);
  return x;
}

/// A zero page as it stands in the stream, in the block of that name; empty: in the same.
bytes zero_page(uint64_t offset, std::string_view block = {}) {
  bytes x;
  put_big_endian(x, offset | flag::zero | (block.empty() ? flag::same_block : 0));
  if (!block.empty()) {
    put_big_endian(x, static_cast<uint8_t>(block.size()));
    put_text(x, block);
  }
  x.push_back(std::byte{0});
  return x;
}

/// The head of a stream of one block of ten pages, and a section of pages begun.
bytes opened_stream() {
  stream_writer writer{{{"pc.ram", 10 * page_size}}};
  writer.begin();
  writer.begin_part();
  return writer.take();
}

/// A stream whose list of blocks is this.
bytes stream_with_blocks(uint64_t total, const std::vector<ram_block>& blocks) {
  bytes x;
  put_big_endian(x, qemu_stream::magic);
  put_big_endian(x, qemu_stream::version);
  add(x, section_head(section::start, ram_id));
  put_big_endian(x, static_cast<uint8_t>(qemu_stream::ram_name.size()));
  put_text(x, qemu_stream::ram_name);
  put_big_endian(x, uint32_t{0});
  put_big_endian(x, qemu_stream::ram_version);
  put_big_endian(x, total | flag::sizes);
  for (const auto& block : blocks) {
    put_big_endian(x, static_cast<uint8_t>(block.name.size()));
    put_text(x, block.name);
    put_big_endian(x, block.size_bytes);
  }
  return x;
}

} // namespace

TEST_CASE("a page that is filled with another byte than zero is no zero page") {
  auto stream = opened_stream();
  add(stream, zero_page(0, "pc.ram"));
  auto ones = zero_page(page_size);
  ones.back() = std::byte{0xff};
  add(stream, ones);
  const outcome x{stream};
  CHECK(x.seen.zero_pages == 1);
  CHECK(x.opaque(opaque_reason::unknown_page) == ones.size());
}

TEST_CASE("an end of a section that names an offset, and a block without a name, are unknown") {
  for (const bool end : {true, false}) {
    auto stream = opened_stream();
    bytes piece;
    put_big_endian(piece, end ? page_size | flag::end : uint64_t{flag::zero});
    piece.push_back(std::byte{0});
    piece.push_back(std::byte{0});
    add(stream, piece);
    const outcome x{stream};
    CHECK(x.opaque(opaque_reason::unknown_page) == piece.size());
    CHECK(x.seen.zero_pages == 0);
  }
}

TEST_CASE("a section of something else is not searched for pages") {
  stream_writer writer{{{"pc.ram", 10 * page_size}}};
  writer.begin();
  auto stream = writer.take();
  add(stream, section_head(section::part, 9));
  add(stream, zero_page(0, "pc.ram"));
  const outcome x{stream};
  CHECK(x.seen.zero_pages == 0);
  CHECK(x.opaque(opaque_reason::unknown_section) > 0);
}

TEST_CASE("the end of a page and the unknown bytes after it are not taken for a section's head") {
  bytes content(page_size);
  auto head = section_head(section::footer, ram_id);
  add(head, section_head(section::part, ram_id));
  std::copy(head.begin(), head.end() - 1, content.end() - static_cast<ptrdiff_t>(head.size() - 1));
  stream_writer writer{{{"pc.ram", 10 * page_size}}};
  writer.begin();
  writer.begin_part();
  writer.page(0, 0, content);
  auto stream = writer.take();
  add(stream, {head.back()});
  add(stream, zero_page(page_size, "pc.ram"));
  add(stream, bytes(5000, std::byte{0x55}));
  const outcome x{stream};
  CHECK(x.seen.full_pages == 1);
  CHECK(x.seen.zero_pages == 0);
}

TEST_CASE("devices' state that looks like memory is not taken for memory") {
  stream_writer writer{{{"pc.ram", 10 * page_size}}};
  writer.begin();
  writer.begin_last();
  writer.zero_page(0, 0);
  writer.end_part();
  auto like_memory = section_head(section::footer, ram_id);
  add(like_memory, section_head(section::part, ram_id));
  add(like_memory, zero_page(page_size, "pc.ram"));
  writer.finish(like_memory);
  const outcome x{writer.take()};
  CHECK(x.seen.zero_pages == 1);
  CHECK(x.memory_complete);
  CHECK(x.opaque(opaque_reason::device_state) > like_memory.size());
}

TEST_CASE("a last section that is found again after unknown bytes completes the memory") {
  stream_writer writer{{{"pc.ram", 10 * page_size}}};
  writer.begin();
  auto stream = writer.take();
  add(stream, section_head(section::full, 9));
  add(stream, bytes(3000, std::byte{0x55}));
  add(stream, section_head(section::footer, 9));
  writer.begin_last();
  writer.zero_page(0, 0);
  writer.end_part();
  add(stream, writer.take());
  const outcome x{stream};
  CHECK(x.seen.zero_pages == 1);
  CHECK(x.memory_complete);
}

TEST_CASE("lengths that are too long to wait for pass as they come") {
  stream_writer writer{{{"pc.ram", 10 * page_size}}};
  writer.begin(std::string(20'000, 'm'));
  const outcome machine{writer.take()};
  CHECK(machine.opaque(opaque_reason::unknown_section) > 15'000);

  bytes stream;
  put_big_endian(stream, qemu_stream::magic);
  put_big_endian(stream, qemu_stream::version);
  stream.push_back(static_cast<std::byte>(section::command));
  put_big_endian(stream, uint16_t{9});
  put_big_endian(stream, uint16_t{60'000});
  add(stream, bytes(60'000));
  const outcome command{stream};
  CHECK(command.opaque(opaque_reason::unknown_section) > 55'000);
}

TEST_CASE("a list of blocks that doesn't add up, or doesn't end, is no list of blocks") {
  const auto pages_of = [](bytes stream) {
    add(stream, zero_page(0, "a"));
    return outcome{stream}.seen.zero_pages;
  };
  CHECK(pages_of(stream_with_blocks(page_size, {{"a", page_size}})) == 1);
  CHECK(pages_of(stream_with_blocks(page_size, {{"a", 2 * page_size}})) == 0);
  // Sizes whose sum comes round to what was announced.
  CHECK(pages_of(stream_with_blocks(page_size, {{"a", 2 * page_size}, {"b", 0 - page_size}})) == 0);
  for (const size_t count : {4096u, 4097u}) {
    std::vector<ram_block> blocks(count, {"a", page_size});
    CHECK(pages_of(stream_with_blocks(count * page_size, blocks)) == (count == 4096 ? 1 : 0));
  }
}

TEST_CASE("only so many blocks that nobody announced are remembered") {
  auto stream = stream_with_blocks(0, {});
  for (int i = 0; i < 5000; ++i)
    add(stream, zero_page(0, "block-" + std::to_string(i)));
  CHECK(outcome{stream}.seen.zero_pages == 4096);
}
