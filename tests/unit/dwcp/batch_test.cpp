#include "batch_sender.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

const chain_value seed_of_tests = digest_of({});

std::vector<sent_batch> encode_all(std::span<const std::byte> stream, int level,
                                   random_numbers& random, size_t store_bytes = 0,
                                   unsigned lanes = 1) {
  std::vector<sent_batch> batches;
  batch_sender sender{level, seed_of_tests, store_bytes, lanes};
  stream_splitter splitter;
  const auto add = [&](const page_record& record) {
    sender.encoder.add(record);
    if (sender.encoder.full() || random() % 2000 == 0) {
      batches.push_back(sender.seal());
      // Up and down, and sometimes not at all.
      if (lanes > 1)
        sender.level = static_cast<int>(random() % 4);
    }
  };
  chop(stream, random, 200'000, [&](auto piece) { splitter.push(piece, add); });
  splitter.finish(add);
  batches.push_back(sender.seal());
  return batches;
}

std::error_code code_of(const result<decoded_batch>& x) {
  return x.has_value() ? std::error_code{} : x.error().code;
}

sent_batch one_batch(int level, random_numbers& random) {
  return encode_all(guest_stream(random, {20, 1, 500, true}), level, random).front();
}

} // namespace

TEST_CASE("batches decoded in order are the stream, at every level, with any store") {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    CAPTURE(seed);
    // None; of a few pages; of some; of all.
    const size_t store_bytes = std::array<size_t, 4>{0, 5, 100, 5000}.at(seed / 3) * page_size;
    random_numbers random{seed};
    const auto stream = guest_stream(random, {500, 3, 300'000, true});
    const unsigned lanes = 1 + seed % 3;
    const auto batches = encode_all(stream, static_cast<int>(seed % 3), random, store_bytes, lanes);
    batch_decoder decoder{seed_of_tests, store_bytes, lanes};
    bytes joined;
    uint64_t pages = 0;
    for (const auto& batch : batches) {
      const auto decoded = decoder.decode(batch.announced, batch.payload);
      REQUIRE(decoded.has_value());
      joined.insert(joined.end(), decoded->raw.begin(), decoded->raw.end());
      pages += decoded->full_pages;
    }
    CHECK(joined == stream);
    CHECK(pages > 0);
    CHECK(decoder.chain() == batches.back().announced.chain);
  }
}

TEST_CASE("a gigabyte of zero pages costs less than a kilobyte") {
  stream_writer writer{{{"pc.ram", 1u << 30}}};
  writer.begin();
  writer.begin_part();
  for (uint64_t at = 0; at < 1u << 30; at += page_size)
    writer.zero_page(0, at);
  writer.end_part();
  random_numbers random{1};
  batch_sender sender{0, seed_of_tests, 0};
  size_t cost = 0;
  stream_splitter splitter;
  splitter.push(writer.take(), [&](const page_record& record) {
    sender.encoder.add(record);
    if (sender.encoder.full())
      cost += sender.seal().payload.size();
  });
  cost += sender.seal().payload.size();
  CHECK(splitter.statistics().zero_pages == (1u << 30) / page_size);
  CHECK(cost < 1024);
}

TEST_CASE("a batch refers to the batches before it") {
  random_numbers random{2};
  const auto page = random_bytes(random, page_size);
  batch_sender sender{1, seed_of_tests, 0};
  page_record record;
  record.bytes = page;
  sender.encoder.add(record);
  CHECK(sender.seal().payload.size() > page_size);
  sender.encoder.add(record);
  const auto second = sender.seal();
  CHECK(second.payload.size() < 100);
  CHECK(second.records == 1); // of its own
  CHECK(second.announced.raw_bytes == page_size);
}

TEST_CASE("a batch whose bytes were changed is never decoded") {
  for (const int level : {0, 1}) {
    random_numbers random{7};
    const auto good = one_batch(level, random);
    for (int i = 0; i < 400; ++i) {
      CAPTURE(level);
      CAPTURE(i);
      auto bad = good;
      bad.payload[random() % bad.payload.size()] ^= std::byte{1} << (random() % 8);
      batch_decoder decoder{seed_of_tests, 0};
      const auto decoded = decoder.decode(bad.announced, bad.payload);
      // Nothing changed for the decoder if the flipped bit meant nothing to zstd.
      if (decoded.has_value()) {
        batch_decoder reference{seed_of_tests, 0};
        const auto original = reference.decode(good.announced, good.payload);
        REQUIRE(original.has_value());
        CHECK(std::ranges::equal(decoded->raw, original->raw));
      }
    }
  }
}

TEST_CASE("a page that was changed above TLS is a digest mismatch") {
  random_numbers random{8};
  auto batch = one_batch(0, random);
  batch.payload[batch.payload.size() - 600] ^= std::byte{1}; // the content stands last
  batch_decoder decoder{seed_of_tests, 0};
  CHECK(code_of(decoder.decode(batch.announced, batch.payload)) == dwcp_errc::digest_mismatch);
}

TEST_CASE("a batch of another session, or out of its order, is a digest mismatch") {
  random_numbers random{9};
  const auto batch = one_batch(0, random);
  batch_decoder other{digest_of(batch.payload), 0};
  CHECK(code_of(other.decode(batch.announced, batch.payload)) == dwcp_errc::digest_mismatch);
  batch_decoder twice{seed_of_tests, 0};
  CHECK(twice.decode(batch.announced, batch.payload).has_value());
  CHECK(code_of(twice.decode(batch.announced, batch.payload)) == dwcp_errc::digest_mismatch);
}

TEST_CASE("sizes that a batch announces are bounded before they are believed") {
  batch_decoder decoder{seed_of_tests, 0};
  const auto refused_for_its_size = [&](const batch_announcement& x, const bytes& payload) {
    const auto decoded = decoder.decode(x, payload);
    return code_of(decoded) == dwcp_errc::malformed
           && decoded.error().message.find("more than") != std::string::npos;
  };
  CHECK(refused_for_its_size({batch_codec::plain, max_batch_raw_bytes + 1, {}}, {}));
  const bytes unpacks_to_4_gib(8, std::byte{0xff});
  CHECK(refused_for_its_size({batch_codec::zstd, 1000, {}}, unpacks_to_4_gib));
  // One run of 2^40 zero pages.
  bytes operations{std::byte{2}, std::byte{0}};
  put_varint(operations, uint64_t{1} << 40);
  bytes plan;
  put_varint(plan, operations.size());
  plan.insert(plan.end(), operations.begin(), operations.end());
  CHECK(code_of(decoder.decode({batch_codec::plain, max_batch_raw_bytes, {}}, plan))
        == dwcp_errc::malformed);
}

TEST_CASE("noise is not a batch") {
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    random_numbers random{seed};
    const auto noise = random_bytes(random, random() % 300);
    batch_decoder decoder{seed_of_tests, 0};
    CHECK(!decoder
               .decode({seed % 2 == 0 ? batch_codec::plain : batch_codec::zstd,
                        static_cast<uint32_t>(random() % 5000),
                        {}},
                       noise)
               .has_value());
  }
}
