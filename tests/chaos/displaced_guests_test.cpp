#include "displaced_guests.hpp"

#include <doctest/doctest.h>

using namespace novacron::chaos;
using namespace std::chrono_literals;

namespace {

const displaced_guests::time_point begin{1h};
const auto all = [](const std::string&) { return true; };

} // namespace

TEST_CASE("guests run elsewhere from when the last of them was seen there") {
  displaced_guests x{{"a", "b"}};
  CHECK_FALSE(x.run_elsewhere(all).has_value());
  x.add({begin + 1s, true, {}, {"a", "of-somebody"}});
  CHECK_FALSE(x.run_elsewhere(all).has_value());
  CHECK(x.missing(all) == std::vector<std::string>{"b"});
  x.add({begin + 2s, true, {}, {"a", "b"}});
  x.add({begin + 3s, true, {}, {"a", "b"}});
  CHECK(x.run_elsewhere(all) == begin + 2s);
  CHECK(x.missing(all).empty());
}

TEST_CASE("a guest that nobody wants to run any more isn't waited for, nor does it count") {
  displaced_guests x{{"a", "b"}};
  x.add({begin + 1s, true, {}, {"a"}});
  CHECK(x.run_elsewhere([](const auto& id) { return id == "a"; }) == begin + 1s);
  CHECK_FALSE(x.run_elsewhere([](const auto&) { return false; }).has_value());
  x.add({begin + 2s, true, {}, {"b"}});
  CHECK(x.run_elsewhere([](const auto& id) { return id == "a"; }) == begin + 1s);
}

TEST_CASE("a host's guests have ended from when none is seen there any more") {
  displaced_guests x{{"a", "b"}};
  x.add({begin + 1s, true, {"a", "b"}, {}});
  x.add({begin + 2s, true, {"late-create"}, {"a"}});
  CHECK_FALSE(x.ended_there().has_value());
  CHECK(x.left() == std::set<std::string>{"late-create"});
  x.add({begin + 3s, true, {}, {}});
  x.add({begin + 4s, true, {}, {}});
  CHECK(x.ended_there() == begin + 3s);
  x.add({begin + 5s, true, {"a"}, {}}); // it came back
  CHECK_FALSE(x.ended_there().has_value());
}

TEST_CASE("a host that can't be looked at has not ended its guests") {
  displaced_guests x{{"a"}};
  x.add({begin + 1s, false, {}, {"a"}});
  CHECK_FALSE(x.ended_there().has_value());
  CHECK(x.run_elsewhere(all) == begin + 1s);
}
