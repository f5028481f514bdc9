#include "request_deck.hpp"

#include <doctest/doctest.h>

using namespace novacron::chaos;

namespace {

using counts = std::array<unsigned, request_kinds>;

counts draw(request_deck& deck, unsigned count, const std::function<bool(request_kind)>& can) {
  std::mt19937_64 random{7};
  counts drawn{};
  for (unsigned i = 0; i < count; ++i)
    ++drawn.at(static_cast<size_t>(deck.next(random, can)));
  return drawn;
}

} // namespace

TEST_CASE("each twenty requests are the seed's mix") {
  request_deck deck;
  const auto anything = [](request_kind) { return true; };
  CHECK(draw(deck, 20, anything) == counts{7, 4, 3, 3, 2, 1});
  CHECK(draw(deck, 80, anything) == counts{28, 16, 12, 12, 8, 4});
}

TEST_CASE("what can't be done yet is put off, not left out") {
  request_deck deck;
  const auto drawn = draw(deck, 22, [](request_kind x) {
    return x == request_kind::list || x == request_kind::create;
  });
  CHECK(drawn == counts{14, 8, 0, 0, 0, 0});
  CHECK(draw(deck, 18, [](request_kind) { return true; }) == counts{0, 0, 6, 6, 4, 2});
}

TEST_CASE("a kind's name is the seed's word for it") {
  CHECK(name_of(request_kind::list) == "list");
  CHECK(name_of(request_kind::remove) == "delete");
  CHECK(name_of(request_kind::migrate) == "migrate");
}
