#include "actors/migration/page_cost.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

session_statistics sent() {
  session_statistics x;
  x.guest_bytes = 100'000;
  x.wire_bytes = 20'000;
  x.zero_pages = 50;
  x.full_pages = 20;
  x.same_pages = 5;
  x.changed_pages = 3;
  x.compressed_bytes = 19'000;
  x.rounds = 2;
  x.reconnects = 1;
  x.chain_ok = true;
  return x;
}

void put_raw(session_statistics& x, opaque_reason why, uint64_t bytes) {
  x.raw_bytes[static_cast<size_t>(why)] += bytes;
  x.opaque_bytes += bytes;
}

} // namespace

TEST_CASE("a record says what was made of each page, each counted once") {
  auto pages = sent();
  put_raw(pages, opaque_reason::framing, 70);
  const auto cost = cost_of(pages);
  CHECK(cost.work.zero_pages == 50);
  CHECK(cost.work.whole_pages == 12);
  CHECK(cost.work.same_pages == 5);
  CHECK(cost.work.changed_pages == 3);
  CHECK(cost.work.packed_bytes == 19'000);
  CHECK(cost.work.raw_bytes[static_cast<size_t>(opaque_reason::framing)] == 70);
  CHECK(cost.work.reconnects == 1);
  CHECK(cost.wire_bytes == 20'000);
  CHECK(cost.chain_ok);
}

TEST_CASE("more than a twentieth sent as it was is worth a warning that says of what kind") {
  auto pages = sent();
  put_raw(pages, opaque_reason::device_state, 4'000);
  put_raw(pages, opaque_reason::unknown_page, 1'000);
  CHECK(!raw_warning(pages));
  put_raw(pages, opaque_reason::unknown_page, 1);
  const auto warning = raw_warning(pages);
  REQUIRE(warning);
  CHECK(warning->find("5001 of 100000") != std::string::npos);
  CHECK(warning->find("4000 of device_state, 1001 of unknown_page") != std::string::npos);
}
