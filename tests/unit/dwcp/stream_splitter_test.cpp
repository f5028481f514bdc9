#include "dwcp/guest_stream/stream_joiner.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

struct split_result {
  bytes joined;
  split_statistics seen;
  size_t most_held = 0;
  size_t largest = 0;
  bool memory_complete = false;
  bool wants_return_path = false;
};

split_result split(std::span<const std::byte> stream, random_numbers& random, size_t longest) {
  split_result x;
  stream_splitter splitter;
  const auto out = [&](const page_record& record) {
    x.largest = std::max(x.largest, record.size());
    join(record, x.joined);
  };
  chop(stream, random, longest, [&](auto piece) {
    splitter.push(piece, out);
    x.most_held = std::max(x.most_held, splitter.held_bytes());
  });
  splitter.finish(out);
  CHECK(x.largest <= stream_splitter::max_opaque_bytes);
  x.seen = splitter.statistics();
  x.memory_complete = splitter.memory_complete();
  x.wants_return_path = splitter.wants_return_path();
  return x;
}

uint64_t opaque(const split_result& x, opaque_reason reason) {
  return x.seen.opaque_bytes[static_cast<size_t>(reason)];
}

/// `good`, but for some bytes that were overwritten, removed or put in.
bytes damaged(bytes good, random_numbers& random) {
  for (auto n = 1 + random() % 4; n > 0; --n) {
    const auto at = random() % good.size();
    const auto where = good.begin() + static_cast<ptrdiff_t>(at);
    switch (random() % 3) {
    case 0:
      good[at] = static_cast<std::byte>(random());
      break;
    case 1:
      good.erase(where);
      break;
    default:
      good.insert(where, static_cast<std::byte>(random()));
    }
  }
  return good;
}

} // namespace

TEST_CASE("a stream's records joined are the stream, however it was chopped") {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    random_numbers random{seed};
    const auto stream = guest_stream(
        random, {1 + random() % 200, 1 + int(random() % 4), random() % 10'000, random() % 2 == 0});
    const auto whole = split(stream, random, stream.size());
    CHECK(whole.joined == stream);
    for (const size_t longest : {1u, 7u, 100u, 5000u, 100'000u}) {
      const auto x = split(stream, random, longest);
      CHECK(x.joined == stream);
      CHECK(x.seen.full_pages == whole.seen.full_pages);
      CHECK(x.seen.zero_pages == whole.seen.zero_pages);
      CHECK(x.seen.opaque_bytes == whole.seen.opaque_bytes);
      CHECK(x.most_held < 5120);
    }
  }
}

TEST_CASE("a damaged stream loses nothing, and its pages don't depend on the chopping") {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    random_numbers random{seed};
    const auto stream = damaged(guest_stream(random, {60, 3, 2000, true}), random);
    const auto whole = split(stream, random, stream.size());
    const auto pieces = split(stream, random, 1 + random() % 9000);
    CHECK(whole.joined == stream);
    CHECK(pieces.joined == stream);
    CHECK(pieces.seen.full_pages == whole.seen.full_pages);
    CHECK(pieces.seen.zero_pages == whole.seen.zero_pages);
  }
}

TEST_CASE("bytes that are no stream at all pass as they are") {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    random_numbers random{seed};
    const auto stream = random_bytes(random, random() % 200'000);
    const auto x = split(stream, random, 1 + random() % 70'000);
    CHECK(x.joined == stream);
    CHECK(x.seen.full_pages == 0);
    CHECK(x.seen.all_opaque_bytes() == stream.size());
  }
}

TEST_CASE("every page, zero page and round that was written is found") {
  random_numbers random{3};
  stream_writer writer{{{"pc.ram", 100 * page_size}, {"pc.bios", 10 * page_size}}};
  const bytes content(page_size, std::byte{7});
  writer.begin();
  writer.begin_part();
  for (uint64_t i = 0; i < 100; ++i)
    i % 4 == 0 ? writer.zero_page(0, i * page_size) : writer.page(0, i * page_size, content);
  writer.end_part();
  writer.begin_part();
  writer.page(1, 0, content);
  writer.page(0, 5 * page_size, content); // the second pass
  writer.page(0, 9 * page_size, content);
  writer.end_part();
  writer.begin_last();
  writer.page(0, 9 * page_size, content); // still the second: again, at the same place
  writer.page(0, 0, content);             // the third
  writer.end_part();
  writer.finish(random_bytes(random, 1000));
  const auto x = split(writer.take(), random, 1000);
  CHECK(x.seen.full_pages == 80);
  CHECK(x.seen.zero_pages == 25);
  CHECK(x.seen.rounds == 3);
  CHECK(x.memory_complete);
  CHECK(x.wants_return_path);
  CHECK(opaque(x, opaque_reason::device_state) > 1000);
  CHECK(opaque(x, opaque_reason::unknown_page) == 0);
  CHECK(opaque(x, opaque_reason::cut) == 0);
}

TEST_CASE("after a section that isn't known the pages are found again") {
  random_numbers random{4};
  const bytes content(page_size, std::byte{7});
  stream_writer writer{{{"pc.ram", 100 * page_size}}};
  writer.begin();
  writer.begin_part();
  writer.page(0, 0, content);
  writer.end_part();
  auto stream = writer.take();
  // A dirty bitmap's section, say: its content's length isn't to be found.
  const auto add = [&](const bytes& x) { stream.insert(stream.end(), x.begin(), x.end()); };
  bytes unknown{std::byte{1}};
  put_big_endian(unknown, uint32_t{9});
  put_big_endian(unknown, uint8_t{12});
  put_text(unknown, "dirty-bitmap");
  add(unknown);
  add(random_bytes(random, 70'000));
  add({std::byte{0x7e}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{9}});
  writer.begin_part();
  writer.page(0, page_size, content);
  writer.zero_page(0, 2 * page_size);
  writer.end_part();
  writer.begin_last();
  writer.page(0, 3 * page_size, content);
  writer.end_part();
  writer.finish({});
  add(writer.take());
  for (const size_t longest : {1u, 11u, 100'000u}) {
    const auto x = split(stream, random, longest);
    CHECK(x.joined == stream);
    CHECK(x.seen.full_pages == 3);
    CHECK(x.seen.zero_pages == 1);
    CHECK(x.memory_complete);
    CHECK(opaque(x, opaque_reason::unknown_section) > 70'000);
  }
}

TEST_CASE("a page outside of its block is not taken for a page") {
  random_numbers random{5};
  stream_writer writer{{{"pc.ram", 10 * page_size}}};
  writer.begin();
  writer.begin_part();
  writer.zero_page(0, 10 * page_size);
  const auto x = split(writer.take(), random, 100);
  CHECK(x.seen.zero_pages == 0);
  CHECK(opaque(x, opaque_reason::unknown_page) > 0);
}

TEST_CASE("real QEMUs' streams are split and joined byte for byte") {
  random_numbers random{6};
  for (const auto& file : captured_streams()) {
    CAPTURE(file);
    const auto stream = read_file(file);
    const auto x = split(stream, random, 300'000);
    CHECK(x.joined == stream);
    CHECK(x.memory_complete);
    CHECK(x.seen.full_pages > 0);
    CHECK(x.seen.zero_pages > 0);
    CHECK(x.seen.rounds >= 1);
    CHECK(opaque(x, opaque_reason::unknown_page) == 0);
    CHECK(opaque(x, opaque_reason::unknown_section) == 0);
    CHECK(opaque(x, opaque_reason::not_a_stream) == 0);
    MESSAGE(file.filename().native(), ": ", x.seen.full_pages, " pages, ", x.seen.zero_pages,
            " zero pages, ", x.seen.rounds, " rounds, ", opaque(x, opaque_reason::framing),
            " framing, ", opaque(x, opaque_reason::device_state), " device state bytes");
  }
}
