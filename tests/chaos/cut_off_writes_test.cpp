#include "cut_off_writes.hpp"

#include <boost/json/object.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::chaos;
using namespace std::chrono_literals;

namespace {

cut_off_end end_with(unsigned status, const std::string& type) {
  client_reply reply;
  reply.status = status;
  reply.body = boost::json::object{{"type", "urn:novacron:" + type}};
  return end_of(reply);
}

} // namespace

TEST_CASE("only who says that nobody leads has not taken a write") {
  CHECK(end_with(503, "not_leader") == cut_off_end::refused);
  CHECK(end_with(503, "unknown_outcome") == cut_off_end::open);
  CHECK(end_of(failure{{}, "no answer in time"}) == cut_off_end::open);
  CHECK(end_with(202, "") == cut_off_end::answered);
  CHECK(end_with(409, "wrong_state") == cut_off_end::answered);
}

TEST_CASE("a controller has stopped with the first write that it refused for good") {
  cut_off_tally tally;
  CHECK_FALSE(tally.stopped().has_value());
  tally.add(0ms, cut_off_end::open);
  CHECK_FALSE(tally.stopped().has_value());
  tally.add(900ms, cut_off_end::refused); // answers don't come in the order of the questions
  tally.add(700ms, cut_off_end::refused);
  tally.add(920ms, cut_off_end::refused);
  CHECK(tally.stopped() == 700ms);
  tally.add(800ms, cut_off_end::open);
  tally.add(100ms, cut_off_end::open);
  CHECK(tally.stopped() == 900ms);
  CHECK(tally.answered() == 0);
  tally.add(950ms, cut_off_end::answered);
  CHECK_FALSE(tally.stopped().has_value());
  CHECK(tally.answered() == 1);
}

TEST_CASE("one that refuses from the cut on has stopped at once") {
  cut_off_tally tally;
  tally.add(0ms, cut_off_end::refused);
  CHECK(tally.stopped() == 0ms);
}
