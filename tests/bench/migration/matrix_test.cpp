#include "tests/bench/migration/matrix.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <stdexcept>

using namespace novacron::bench;

TEST_CASE("a pattern chooses by workload, link and method") {
  CHECK(chosen_cells(false, {"idle/100m-50ms/dwcp"}).size() == 1);
  CHECK(chosen_cells(false, {"idle/100m-50ms/*"}).size() == methods().size());
  CHECK(chosen_cells(false, {"*/*/dwcp"}).size() == workloads().size() * links().size());
  CHECK(chosen_cells(false, {"idle/100m-50ms/dwcp", "idle/100m-50ms/tcp"}).size() == 2);
  CHECK_THROWS_AS(chosen_cells(false, {"idle"}), std::invalid_argument);
  CHECK_THROWS_AS(chosen_cells(false, {"idle/100m-50ms/pigeons"}), std::invalid_argument);
}

TEST_CASE("all of what is usual is part of the full matrix") {
  const auto usual = chosen_cells(false, {});
  const auto full = chosen_cells(true, {});
  CHECK(usual.size() < full.size());
  for (const auto& x : usual)
    CHECK(std::ranges::any_of(full, [&](const auto& y) {
      return x.load == y.load && x.link == y.link && x.way == y.way;
    }));
}
