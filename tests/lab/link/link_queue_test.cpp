#include "tests/lab/link/link_queue.hpp"

#include <doctest/doctest.h>

using namespace novacron::lab;
using namespace std::chrono_literals;

TEST_CASE("a packet takes its bytes' time at the rate, then the delay") {
  link_queue queue{{.rate_mbit_per_s = 100, .delay = 25ms}, 1};
  // 1,250 bytes are 10,000 bits: 100 µs at 100 Mbit/s.
  CHECK(queue.pass(7ms, 1'250) == 7ms + 100us + 25ms);
}

TEST_CASE("packets wait for those before them, and for nothing when the link was idle") {
  link_queue queue{{.rate_mbit_per_s = 100, .delay = 25ms}, 1};
  CHECK(queue.pass(0ms, 1'250) == 25ms + 100us);
  CHECK(queue.pass(0ms, 1'250) == 25ms + 200us);
  CHECK(queue.pass(150us, 1'250) == 25ms + 300us);
  CHECK(queue.pass(1ms, 1'250) == 26ms + 100us);
}

TEST_CASE("a packet that would wait longer than the queue is dropped, and takes no time") {
  link_queue queue{{.rate_mbit_per_s = 100, .delay = 0ms, .queue = 1ms}, 1};
  for (int i = 0; i < 11; ++i)
    CHECK(queue.pass(0ms, 1'250) == (i + 1) * 100us);
  CHECK_FALSE(queue.pass(0ms, 1'250).has_value());
  CHECK(queue.dropped() == 1);
  CHECK(queue.sent_bytes() == 11 * 1'250);
  CHECK(queue.pass(100us, 1'250) == 1'200us);
}

TEST_CASE("without a rate nothing waits and nothing is dropped") {
  link_queue queue{{.delay = 1ms, .queue = 0ms}, 1};
  for (int i = 0; i < 1'000; ++i)
    CHECK(queue.pass(5ms, 65'536) == 6ms);
  CHECK(queue.dropped() == 0);
}

TEST_CASE("a share of the packets is lost, each after its time on the wire, by the seed") {
  auto count = [](uint64_t seed) {
    link_queue queue{{.rate_mbit_per_s = 100, .delay = 0ms, .loss = 0.01, .queue = 1h}, seed};
    std::optional<link_queue::time> last;
    for (int i = 0; i < 100'000; ++i)
      if (auto at = queue.pass(0ms, 1'250))
        last = at;
    CHECK(queue.sent_bytes() == 100'000 * 1'250);
    CHECK(last.value_or(0ms) > 9'990ms);
    CHECK(last.value_or(0ms) <= 10s);
    return queue.lost();
  };
  CHECK(count(1) > 850);
  CHECK(count(1) < 1'150);
  CHECK(count(1) == count(1));
  CHECK(count(1) != count(2));
}
