#include "dwcp/session/flight_window.hpp"

#include <doctest/doctest.h>

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
