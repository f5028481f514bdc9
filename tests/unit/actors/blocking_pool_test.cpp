#include "actors/blocking/blocking_pool.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <future>
#include <optional>
#include <pthread.h>
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
  pthread_attr_t usual;
  pthread_attr_t impossible;
  REQUIRE(::pthread_getattr_default_np(&usual) == 0);
  REQUIRE(::pthread_attr_init(&impossible) == 0);
  REQUIRE(::pthread_attr_setstacksize(&impossible, size_t{1} << 47) == 0); // all of the addresses
  {
    blocking_pool pool{1};
    REQUIRE(::pthread_setattr_default_np(&impossible) == 0);
    bool ran = false;
    CHECK_FALSE(pool.run_long([&ran] { ran = true; }));
    CHECK_FALSE(ran);
    // What must be done takes its turn.
    std::promise<void> done;
    pool.run_apart(uuid{1, 2}, [&done] { done.set_value(); });
    CHECK(done.get_future().wait_for(std::chrono::seconds{10}) == std::future_status::ready);
    REQUIRE(::pthread_setattr_default_np(&usual) == 0);
  } // ends at once
  ::pthread_attr_destroy(&impossible);
  ::pthread_attr_destroy(&usual);
}
