#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/codec/batch_encoder.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

const chain_value seed_of_tests = digest_of({});
constexpr size_t store_bytes = 64 * page_size;

/// Pages in memory, lent by their number.
struct lent_by_test final : page_lender {
  std::vector<bytes> pages;

  bool read(uint64_t index, std::span<std::byte, page_size> out) override {
    if (index >= pages.size())
      return false;
    std::ranges::copy(pages[index], out.begin());
    return true;
  }
  [[nodiscard]] std::vector<page_digest> digests() const {
    std::vector<page_digest> all;
    for (const auto& each : pages)
      all.push_back(digest_of_page(std::span{each}.first<page_size>()));
    return all;
  }
};

/// Both ends of a codec without compression, of which one lends `count` pages.
struct lending_ends {
  explicit lending_ends(size_t count) {
    for (size_t i = 0; i < count; ++i)
      lent.pages.push_back(random_bytes(random, page_size));
    decoder.lend_from(&lent);
    CHECK(encoder.lend(0, lent.digests()));
  }

  void page(uint64_t number, const bytes& content) {
    bytes header;
    put_big_endian(header, number * page_size | qemu_stream::ram_flag::page
                               | qemu_stream::ram_flag::same_block);
    encoder.add({record_kind::page, 0, number * page_size, header, content});
    expected.insert(expected.end(), header.begin(), header.end());
    expected.insert(expected.end(), content.begin(), content.end());
  }
  result<decoded_batch> decode(const encoded_batch& batch) {
    return decoder.decode({batch_codec::plain, batch.raw_bytes, batch.chain}, batch.plan);
  }
  /// Carries what was added over; the bytes that it took.
  size_t carry() {
    const auto batch = encoder.seal();
    const auto decoded = decode(batch);
    REQUIRE(decoded.has_value());
    CHECK(std::ranges::equal(decoded->raw, expected));
    expected.clear();
    return batch.plan.size();
  }

  random_numbers random{30};
  lent_by_test lent;
  batch_encoder encoder{seed_of_tests, store_bytes};
  batch_decoder decoder{seed_of_tests, store_bytes};
  bytes expected;
};

} // namespace

TEST_CASE("pages that the destination lends cost a few bytes for a run of them") {
  lending_ends x{200};
  for (size_t i = 0; i < 200; ++i)
    x.page(1000 + i, x.lent.pages[i]);
  CHECK(x.carry() < 20);
  CHECK(x.encoder.decisions().lent == 200);
  CHECK(x.encoder.decisions().full == 0);
  // They are held from then on, like any other, as far as there is room.
  x.page(1000, x.lent.pages[0]);
  CHECK(x.carry() < 20);
  CHECK(x.encoder.decisions().same == 1);
}

TEST_CASE("a page that nobody lends is sent, and doesn't end the run around it for long") {
  lending_ends x{100};
  x.lent.pages[60] = x.lent.pages[10]; // twice the same: a run goes on with its own
  CHECK(x.encoder.lend(0, x.lent.digests()));
  for (size_t i = 0; i < 100; ++i)
    x.page(i, i == 50 ? random_bytes(x.random, page_size) : x.lent.pages[i]);
  const auto took = x.carry();
  CHECK(took > page_size);
  CHECK(took < page_size + 30);
  CHECK(x.encoder.decisions().full == 1);
}

TEST_CASE("nothing is looked up where the link is faster, and all of it again where it isn't") {
  lending_ends x{10};
  x.encoder.use_lent(false);
  x.page(1, x.lent.pages[0]);
  CHECK(x.carry() > page_size);
  x.encoder.use_lent(true);
  x.page(2, x.lent.pages[1]);
  CHECK(x.carry() < 20);
}

TEST_CASE("pages of which nothing was said yet, or never, are sent in full") {
  lending_ends x{0};
  for (int i = 0; i < 10; ++i)
    x.lent.pages.push_back(random_bytes(x.random, page_size));
  const auto all = x.lent.digests();
  CHECK(x.encoder.lend(5, std::span{all}.subspan(5))); // the part before was lost
  for (size_t i = 0; i < 10; ++i)
    x.page(i, x.lent.pages[i]);
  x.carry();
  CHECK(x.encoder.decisions().full == 5);
  CHECK(x.encoder.decisions().lent == 5);
}

TEST_CASE("numbers beyond what may be lent are refused") {
  lent_index index;
  const std::vector<page_digest> two(2);
  CHECK(index.put(max_lent_pages - 2, two));
  CHECK(!index.put(max_lent_pages - 1, two));
  CHECK(!index.put(~uint64_t{0}, two));
  CHECK(index.pages() == 2);
}

TEST_CASE("a lent page that has changed since, or is gone, is never released") {
  lending_ends x{3};
  SUBCASE("changed") {
    x.page(7, x.lent.pages[1]);
    x.lent.pages[1][100] ^= std::byte{1};
    const auto decoded = x.decode(x.encoder.seal());
    REQUIRE(!decoded.has_value());
    CHECK(decoded.error().code == dwcp_errc::digest_mismatch);
  }
  SUBCASE("gone") {
    x.page(7, x.lent.pages[2]);
    x.lent.pages.pop_back();
    const auto decoded = x.decode(x.encoder.seal());
    REQUIRE(!decoded.has_value());
    CHECK(decoded.error().code == dwcp_errc::malformed);
  }
  SUBCASE("to who lends nothing") {
    x.decoder.lend_from(nullptr);
    x.page(7, x.lent.pages[0]);
    const auto decoded = x.decode(x.encoder.seal());
    REQUIRE(!decoded.has_value());
    CHECK(decoded.error().code == dwcp_errc::malformed);
  }
}

TEST_CASE("both ends are told of the same pages, with what they hold in the end") {
  lending_ends x{5};
  using seen = std::vector<std::pair<uint64_t, bytes>>;
  seen at_source;
  seen at_destination;
  const auto into = [](seen& all) {
    return [&all](page_place place, page_content content) {
      all.emplace_back(place.page, bytes{content.begin(), content.end()});
    };
  };
  x.encoder.watch(into(at_source));
  x.decoder.watch(into(at_destination));
  auto page = random_bytes(x.random, page_size);
  x.page(1, page); // in full
  page[9] ^= std::byte{1};
  x.page(1, page);            // as a difference
  x.page(2, page);            // as another page: what is kept has it
  x.page(3, x.lent.pages[4]); // lent
  x.carry();
  CHECK(at_source.size() == 3);
  CHECK(at_source == at_destination);
  CHECK(at_destination.back() == seen::value_type{3, x.lent.pages[4]});
}
