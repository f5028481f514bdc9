#include "dwcp/codec/page_store.hpp"
#include "sample_streams.hpp"

#include <cstring>
#include <doctest/doctest.h>
#include <map>

using namespace novacron;
using namespace novacron::testing;

namespace {

bytes page_of(uint64_t content) {
  bytes page(page_size);
  std::memcpy(page.data(), &content, sizeof content);
  return page;
}

void keep(page_store& store, uint64_t page, uint64_t content) {
  store.keep({0, page}, page_content{page_of(content)});
}

/// What is held of a page; 0: nothing.
uint64_t content_of(const page_store& store, page_place place) {
  const auto held = store.find(place);
  uint64_t content = 0;
  if (!held.empty())
    std::memcpy(&content, held.data(), sizeof content);
  return content;
}

uint64_t content_of(const page_store& store, uint64_t page) {
  return content_of(store, page_place{0, page});
}

size_t held_of(const page_store& store, uint64_t pages) {
  size_t held = 0;
  for (uint64_t page = 0; page < pages; ++page)
    held += store.find({0, page}).empty() ? 0 : 1;
  return held;
}

} // namespace

TEST_CASE("the latest version of a page is held, of each block its own") {
  page_store store{10 * page_size};
  CHECK(store.find({0, 3}).empty());
  store.keep({0, 3}, page_content{page_of(1)});
  store.keep({1, 3}, page_content{page_of(2)});
  CHECK(content_of(store, {0, 3}) == 1);
  CHECK(content_of(store, {1, 3}) == 2);
  store.keep({0, 3}, page_content{page_of(5)});
  CHECK(content_of(store, {0, 3}) == 5);
  CHECK(store.held() == 2);
}

TEST_CASE("pages that are the same share their content until one of them changes") {
  page_store store{10 * page_size};
  keep(store, 1, 7);
  store.refer({0, 2}, {0, 1});
  store.refer({0, 3}, {0, 2});
  CHECK(store.held() == 1);
  CHECK(content_of(store, 3) == 7);
  keep(store, 1, 8);
  CHECK(content_of(store, 1) == 8);
  CHECK(content_of(store, 2) == 7);
  CHECK(content_of(store, 3) == 7);
  CHECK(store.held() == 2);
  store.refer({0, 3}, {0, 3});
  CHECK(content_of(store, 3) == 7);
}

TEST_CASE("what is new doesn't push out what is held; what is sent again does, the oldest first") {
  page_store store{4 * page_size};
  for (uint64_t page = 0; page < 8; ++page)
    keep(store, page, page + 1);
  CHECK(store.held() == 4);
  CHECK(held_of(store, 4) == 4);
  keep(store, 6, 70);
  CHECK(content_of(store, 6) == 70);
  CHECK(content_of(store, 0) == 0);
  CHECK(content_of(store, 1) == 2);
}

TEST_CASE("pages that share their content make room only when the last of them has gone") {
  page_store store{2 * page_size};
  keep(store, 0, 1);
  store.refer({0, 1}, {0, 0});
  keep(store, 2, 3);
  keep(store, 5, 6); // no room
  keep(store, 5, 7); // sent again: two pages must go for it
  CHECK(content_of(store, 5) == 7);
  CHECK(held_of(store, 5) == 1);
  CHECK(content_of(store, 2) == 3);
}

TEST_CASE("of pages sent in circles, as many are found as fit") {
  constexpr size_t capacity = 100;
  constexpr uint64_t pages = 400;
  page_store store{capacity * page_size};
  size_t found = 0;
  for (uint64_t round = 0; round < 10; ++round)
    for (uint64_t page = 0; page < pages; ++page) {
      found += round > 1 && !store.find({0, page}).empty() ? 1 : 0;
      keep(store, page, round * 1000 + page + 1);
    }
  // With the least lately used dropped, as is usual, it would be none.
  CHECK(found > 8 * capacity * 4 / 5);
}

TEST_CASE("content, and the pages that share it, stay within the bound") {
  constexpr size_t capacity = 8;
  page_store store{capacity * page_size};
  keep(store, 0, 1);
  for (uint64_t page = 1; page < 1000; ++page)
    store.refer({0, page}, {0, 0});
  CHECK(held_of(store, 1000) == 4 * capacity);
  for (uint64_t page = 0; page < 1000; ++page)
    keep(store, page, page + 1);
  CHECK(store.held() <= capacity);
  page_store none{page_size - 1};
  keep(none, 0, 1);
  CHECK(none.find({0, 0}).empty());
}

TEST_CASE("the same changes leave the same pages, and other changes another state") {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    page_store a{30 * page_size};
    page_store b{30 * page_size};
    std::map<uint64_t, uint64_t> sent;
    const auto change = [](page_store& store, random_numbers random) {
      const uint64_t page = random() % 90;
      const uint64_t source = random() % 90;
      if (random() % 3 == 0 && !store.find({0, source}).empty())
        store.refer({0, page}, {0, source});
      else
        keep(store, page, random() | 1);
    };
    random_numbers random{seed};
    for (int i = 0; i < 2000; ++i) {
      const random_numbers same{random()};
      change(a, same);
      change(b, same);
      REQUIRE(a.state() == b.state());
    }
    for (uint64_t page = 0; page < 90; ++page)
      CHECK(content_of(a, page) == content_of(b, page));
    const auto before = a.state();
    keep(a, 1, 1);
    CHECK(a.state() != before);
  }
}

TEST_CASE("blocks and pages beyond what can be told apart are not held") {
  page_store store{10 * page_size};
  store.keep({1u << 12, 0}, page_content{page_of(1)});
  CHECK(store.find({1u << 12, 0}).empty());
  CHECK(store.find({0, 0}).empty());
  store.keep({0, uint64_t{1} << 52}, page_content{page_of(1)});
  CHECK(store.held() == 0);
}
