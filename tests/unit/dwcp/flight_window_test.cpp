#include "dwcp/session/flight_window.hpp"

#include <algorithm>
#include <deque>
#include <doctest/doctest.h>
#include <vector>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// Sends and releases so that `depth` batches are always under way.
flight_window after_a_while(std::chrono::milliseconds each, size_t depth) {
  flight_window window;
  flight_window::time_point now{1h};
  for (size_t i = 0; i < depth; ++i)
    window.sent(now);
  for (int i = 0; i < 100; ++i) {
    now += each;
    window.acknowledged(1, now);
    window.sent(now);
  }
  return window;
}

} // namespace

TEST_CASE("before anything is released only a few batches leave") {
  flight_window window;
  for (size_t i = 0; i < flight_window::least; ++i) {
    CHECK(!window.full());
    window.sent(flight_window::time_point{1h});
  }
  CHECK(window.full());
}

TEST_CASE("the window is what the other end releases in 150 ms, and the delay of an empty path") {
  auto frames = after_a_while(10ms, 1).frames();
  CHECK(frames >= 15);
  CHECK(frames <= 17);
}

TEST_CASE("a slow receiver gets the least window, however much was sent before") {
  CHECK(after_a_while(500ms, 1).frames() == flight_window::least);
}

TEST_CASE("a long link is filled: its delay counts on top of the queue") {
  flight_window window;
  flight_window::time_point now{1h};
  // Ten batches each 100 ms, of which each takes 100 ms to be released.
  for (int i = 0; i < 10; ++i)
    window.sent(now);
  for (int round = 0; round < 20; ++round) {
    now += 100ms;
    window.acknowledged(10, now);
    for (int i = 0; i < 10; ++i)
      window.sent(now);
  }
  CHECK(window.frames() >= 24);
  CHECK(window.frames() <= 26);
}

TEST_CASE("a batch that was released before its size was told, or twice, changes nothing") {
  flight_window window;
  const flight_window::time_point start{1h};
  window.sent(start);
  window.acknowledged(1, start + 10ms);
  window.packed(0, 1'000'000);
  window.packed(7, 1'000'000);
  for (size_t i = 0; i < flight_window::least; ++i)
    window.sent(start + 10ms);
  window.packed(1, 1'000);
  window.packed(1, 1'000'000);
  window.acknowledged(4, start + 20ms);
  CHECK(window.bytes() <= 1'000 * 16 + 1); // a thousand in 10 ms; 160 ms
  CHECK(window.bytes() > 0);
}

namespace {

struct course {
  double seconds = 0;
  double longest_flight = 0;
  size_t most_under_way = 0;
};

/// Batches of these sizes over a link of 12 MB/s and 50 ms there and back, to an end that unpacks
/// one in 4 ms.
course carried(const std::vector<size_t>& sizes) {
  constexpr double rate = 12e6;
  constexpr double round_trip = 0.05;
  constexpr double unpacking = 0.004;
  flight_window window;
  const flight_window::time_point start{1h};
  const auto at = [&](double seconds) {
    return start
           + std::chrono::duration_cast<flight_window::time_point::duration>(
               std::chrono::duration<double>{seconds});
  };
  std::deque<std::pair<double, double>> flights; // sent, released
  double now = 0;
  double link_free = 0;
  double end_free = 0;
  course x;
  for (size_t i = 0; i < sizes.size() || !flights.empty();) {
    if (i < sizes.size() && !window.full()) {
      window.sent(at(now));
      window.packed(i, sizes[i]);
      link_free = std::max(link_free, now) + static_cast<double>(sizes[i++]) / rate;
      end_free = std::max(end_free, link_free) + unpacking;
      flights.emplace_back(now, end_free + round_trip);
      x.most_under_way = std::max(x.most_under_way, flights.size());
      continue;
    }
    now = flights.front().second;
    x.longest_flight = std::max(x.longest_flight, now - flights.front().first);
    flights.pop_front();
    window.acknowledged(1, at(now));
  }
  x.seconds = now;
  return x;
}

} // namespace

TEST_CASE("a link stays filled where batches become smaller, and no queue grows where larger") {
  std::vector<size_t> sizes;
  double bytes = 0;
  for (int turn = 0; turn < 5; ++turn)
    for (int i = 0; i < 80; ++i)
      bytes += static_cast<double>(sizes.emplace_back(i < 20 ? 500'000 : 60'000));
  const auto x = carried(sizes);
  CHECK(x.seconds < 1.1 * bytes / 12e6 + 0.2);
  CHECK(x.longest_flight < 0.3);
}

TEST_CASE("batches of next to nothing don't queue at the end that unpacks them") {
  std::vector<size_t> sizes(20, 500'000);
  sizes.resize(520, 1'000);
  const auto x = carried(sizes);
  CHECK(x.seconds < 1.1 * (20 * 500'000 / 12e6 + 500 * 0.004) + 0.2);
  CHECK(x.longest_flight < 0.3);
  CHECK(x.most_under_way < 70);
}

TEST_CASE("an acknowledgement of more than was sent changes nothing beyond it") {
  flight_window window;
  window.acknowledged(5, flight_window::time_point{1h});
  CHECK(window.frames() == flight_window::least);
}

TEST_CASE("what queues at the other end is not taken for the link's delay") {
  CHECK(after_a_while(10ms, 50).frames() <= 17);
}

TEST_CASE("one slow release doesn't close the window") {
  auto window = after_a_while(10ms, 1);
  window.acknowledged(1, flight_window::time_point{1h} + 100 * 10ms + 50ms);
  CHECK(window.frames() >= 8);
}

TEST_CASE("the time of several releases at once counts from when the path began to be busy") {
  flight_window window;
  const flight_window::time_point start{1h};
  window.sent(start);
  window.sent(start + 90ms);
  window.acknowledged(2, start + 100ms);
  CHECK(window.frames() == flight_window::least); // 50 ms each, not 5
}

TEST_CASE("a batch is late after 150 ms and twice the link's delay, or twice what others take") {
  CHECK(!flight_window{}.longest_flight());
  CHECK(after_a_while(10ms, 1).longest_flight() == 170ms);
  // Batches that compress less than those before them queue for longer, each like the others.
  auto window = after_a_while(10ms, 1);
  flight_window::time_point now{1h + 1010ms};
  window.acknowledged(1, now);
  for (int i = 0; i < 50; ++i) {
    window.sent(now);
    now += 400ms;
    window.acknowledged(1, now);
  }
  CHECK(*window.longest_flight() > 780ms);
  CHECK(*window.longest_flight() <= 800ms);
}
