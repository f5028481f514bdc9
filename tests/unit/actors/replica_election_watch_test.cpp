#include "actors/replica/election_watch.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const election_watch::time_point start{100s};
const node_id somebody{{0, 1}};

/// How often it complains in `time`, looked at four times a second.
template <class Leadership>
int complaints(election_watch& watch, std::chrono::milliseconds from, std::chrono::milliseconds to,
               Leadership leadership_at) {
  int n = 0;
  for (auto t = from; t < to; t += 250ms)
    n += watch.look(leadership_at(t), start + t) ? 1 : 0;
  return n;
}

leadership lasting(std::chrono::milliseconds) {
  return {false, somebody, 7};
}
leadership nobody_leads(std::chrono::milliseconds) {
  return {false, {}, 7};
}
/// A new leader every two seconds.
leadership hurried(std::chrono::milliseconds at) {
  return {false, somebody, static_cast<uint64_t>(at / 2s)};
}

} // namespace

TEST_CASE("a leader that lasts, and an election now and then, are no reason to complain") {
  election_watch watch;
  CHECK(complaints(watch, 0s, 20s, lasting) == 0);
  CHECK(complaints(watch, 20s, 30s, nobody_leads) == 0);
  CHECK(complaints(watch, 30s, 60s, lasting) == 0);
}

TEST_CASE("leaders that don't last are noticed, and said once a minute") {
  election_watch watch;
  CHECK(complaints(watch, 0s, 20s, hurried) == 0);
  CHECK(complaints(watch, 20s, 21s, hurried) == 1);
  CHECK(complaints(watch, 21s, 80s, hurried) == 0);
  CHECK(complaints(watch, 80s, 81s, hurried) == 1);
}

TEST_CASE("so is a group without any leader") {
  election_watch watch;
  CHECK(complaints(watch, 0s, 25s, nobody_leads) == 1);
}
