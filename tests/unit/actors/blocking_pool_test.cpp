#include "actors/blocking/blocking_pool.hpp"
#include "tests/few_threads.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <future>
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

TEST_CASE("where no thread can be had a long call is refused, and leaves nothing to wait for") {
  if (!testing::threads_can_be_limited) {
    MESSAGE("not tried: a sanitizer ends a process whose memory is limited");
    return;
  }
  const auto refused = [] {
    blocking_pool pool{1};
    bool ran = false;
    return !pool.run_long([&ran] { ran = true; }) && !ran;
  };
  CHECK(testing::holds_with_threads(1, refused));
  const auto done_all_the_same = [] {
    blocking_pool pool{1};
    std::promise<void> done;
    pool.run_apart(uuid{1, 2}, [&done] { done.set_value(); });
    return done.get_future().wait_for(std::chrono::seconds{10}) == std::future_status::ready;
  };
  CHECK(testing::holds_with_threads(1, done_all_the_same));
}
