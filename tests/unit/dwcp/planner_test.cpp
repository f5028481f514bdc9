#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

const chain_value seed_of_tests = digest_of({});
constexpr size_t store_bytes = 64 * page_size;

/// Both ends of a codec without compression.
struct ends {
  batch_encoder encoder{seed_of_tests, store_bytes};
  batch_decoder decoder{seed_of_tests, store_bytes};

  void page(uint64_t number, const bytes& content, uint32_t block = 0) {
    bytes header;
    put_big_endian(header, number * page_size | qemu_stream::ram_flag::page
                               | qemu_stream::ram_flag::same_block);
    encoder.add({record_kind::page, block, number * page_size, header, content});
    expected.insert(expected.end(), header.begin(), header.end());
    expected.insert(expected.end(), content.begin(), content.end());
  }
  /// Carries what was added over; the bytes that it took.
  size_t carry() {
    const auto batch = encoder.seal();
    const auto decoded
        = decoder.decode({batch_codec::plain, batch.raw_bytes, batch.chain}, batch.plan);
    REQUIRE(decoded.has_value());
    CHECK(std::ranges::equal(decoded->raw, expected));
    expected.clear();
    return batch.plan.size();
  }

  bytes expected;
};

} // namespace

TEST_CASE("a page that is sent again unchanged costs a few bytes") {
  ends x;
  random_numbers random{1};
  const auto content = random_bytes(random, page_size);
  x.page(5, content);
  CHECK(x.carry() > page_size);
  x.page(5, content);
  CHECK(x.carry() < 16);
  CHECK(x.encoder.decisions().same == 1);
  // Also when the index has long forgotten its content.
  for (int version = 0; version < 500; ++version) {
    x.page(9, random_bytes(random, page_size));
    if (version % 100 == 99)
      x.carry();
  }
  x.page(5, content);
  CHECK(x.carry() < 16);
  CHECK(x.encoder.decisions().same == 2);
}

TEST_CASE("a page that another one of its block equals costs a few bytes, and a run no more") {
  ends x;
  random_numbers random{2};
  std::vector<bytes> contents;
  for (uint64_t page = 0; page < 20; ++page) {
    contents.push_back(random_bytes(random, page_size));
    x.page(page, contents.back());
  }
  x.carry();
  for (uint64_t page = 0; page < 20; ++page)
    x.page(100 + page, contents[page]);
  CHECK(x.carry() < 16);
  CHECK(x.encoder.decisions().same == 20);
  // In another order, so that each is at another distance.
  for (uint64_t page = 0; page < 20; ++page)
    x.page(200 + page, contents[19 - page]);
  x.carry();
  CHECK(x.encoder.decisions().same == 40);
}

TEST_CASE(
    "of a page that changed a little only the difference is sent, of one that changed much, all") {
  ends x;
  random_numbers random{3};
  auto content = random_bytes(random, page_size);
  x.page(5, content);
  content[100] ^= std::byte{1};
  x.page(5, content);
  CHECK(x.encoder.decisions().changed == 1);
  x.page(5, random_bytes(random, page_size));
  CHECK(x.encoder.decisions().full == 2);
  x.carry();
}

TEST_CASE("pages of different blocks are told apart") {
  ends x;
  random_numbers random{4};
  const auto first = random_bytes(random, page_size);
  const auto second = random_bytes(random, page_size);
  x.page(5, first, 0);
  x.page(5, second, 1);
  x.page(6, first, 0);
  x.page(5, second, 1);
  CHECK(x.encoder.decisions().same == 2);
  x.carry();
  x.page(5, second, 1); // a batch begins at block 0 again
  x.page(7, first, 0);
  CHECK(x.carry() < 32);
  const auto full = x.encoder.decisions().full;
  x.page(8, first, 1); // which only another block holds
  CHECK(x.encoder.decisions().full == full + 1);
  x.carry();
}

TEST_CASE("ends whose stores have drifted apart find out, at the latest after 256 batches") {
  batch_encoder encoder{seed_of_tests, store_bytes};
  batch_decoder decoder{seed_of_tests, store_bytes / 2};
  std::error_code outcome;
  uint64_t batches = 0;
  for (; batches < 2 * store_state_batches && !outcome; ++batches) {
    bytes header;
    const bytes content(page_size, static_cast<std::byte>(batches));
    put_big_endian(header, batches * page_size | qemu_stream::ram_flag::page
                               | qemu_stream::ram_flag::same_block);
    encoder.add({record_kind::page, 0, batches * page_size, header, content});
    auto x = encoder.seal();
    const auto decoded = decoder.decode({batch_codec::plain, x.raw_bytes, x.chain}, x.plan);
    outcome = decoded.has_value() ? std::error_code{} : decoded.error().code;
  }
  CHECK(outcome == dwcp_errc::malformed);
  CHECK(batches == store_state_batches + 1);
}
