#include "actors/blocking/blocking_pool.hpp"

#include <doctest/doctest.h>
#include <optional>
#include <utility>
#include <vector>

using namespace novacron;

TEST_CASE("a pool that hands its work on runs none of it, and says whose order it is in") {
  std::vector<std::pair<std::optional<uuid>, std::function<void()>>> handed_on;
  blocking_pool pool{[&](const uuid* key, std::function<void()> work) {
    handed_on.emplace_back(key ? std::optional{*key} : std::nullopt, std::move(work));
  }};
  int runs = 0;
  pool.run(uuid{1, 2}, [&] { ++runs; });
  CHECK(pool.run_long([&] { runs += 10; }));
  CHECK(runs == 0);
  REQUIRE(handed_on.size() == 2);
  CHECK(handed_on[0].first == uuid{1, 2});
  CHECK_FALSE(handed_on[1].first.has_value());
  for (const auto& [key, work] : handed_on)
    work();
  CHECK(runs == 11);
}
