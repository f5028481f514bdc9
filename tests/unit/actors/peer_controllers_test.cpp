#include "actors/peer/controller_choice.hpp"
#include "actors/peer/controllers.hpp"

#include <doctest/doctest.h>
#include <set>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

using grade = controller_grade;
const controller_choice::time_point start{100s};
const std::vector<address> three{{"10.0.0.1", 7101}, {"10.0.0.2", 7101}, {"10.0.0.3", 7101}};

} // namespace

TEST_CASE("of two controllers exactly one dials") {
  std::set<std::pair<size_t, size_t>> dialled;
  for (size_t from = 0; from < three.size(); ++from)
    for (const auto& to : controllers_to_dial(three, three[from]))
      for (size_t i = 0; i < three.size(); ++i)
        if (three[i] == to)
          dialled.emplace(from, i);
  CHECK(dialled == std::set<std::pair<size_t, size_t>>{{1, 0}, {2, 0}, {2, 1}});
}

TEST_CASE("other nodes dial every controller") {
  CHECK(controllers_to_dial(three, {"10.0.0.9", 7101}) == three);
}

// -- which controller a node without a replica uses ----------------------------------

TEST_CASE("a controller that fails is left for the next one") {
  controller_choice choice{3, 2};
  CHECK(choice.present() == 2);
  choice.failed(2, start);
  CHECK(choice.present() == 0);
  choice.failed(2, start); // a late answer of the one before
  CHECK(choice.present() == 0);
}

TEST_CASE("a controller that knows no leader twice in a row is left") {
  controller_choice choice{3, 0};
  choice.probed(0, false, start);
  choice.probed(0, true, start);
  choice.probed(0, false, start);
  CHECK(choice.present() == 0);
  choice.probed(0, false, start);
  CHECK(choice.present() == 1);
}

TEST_CASE("the only controller is kept, whatever it does") {
  controller_choice choice{1, 5};
  choice.failed(0, start);
  choice.graded({grade::leader}, start);
  CHECK(choice.present() == 0);
}

TEST_CASE("a follower is used rather than the leader, and kept when it is good enough") {
  controller_choice choice{3, 1};
  choice.graded({grade::follower, grade::leader, grade::follower}, start);
  CHECK(choice.present() == 2);
  choice.graded({grade::follower, grade::leader, grade::follower}, start);
  CHECK(choice.present() == 2);
  choice.graded({grade::follower, grade::follower, grade::leader}, start);
  CHECK(choice.present() == 0);
}

TEST_CASE("of those who leave the leader not all go to the same follower") {
  controller_choice forwards{3, 1};
  controller_choice back{3, 1, true};
  for (auto* each : {&forwards, &back})
    each->graded({grade::follower, grade::leader, grade::follower}, start);
  CHECK(forwards.present() == 2);
  CHECK(back.present() == 0);
}

TEST_CASE("a follower that falls behind is left, for the leader if there is no other") {
  controller_choice choice{3, 0};
  choice.graded({grade::behind, grade::leader, grade::follower}, start);
  CHECK(choice.present() == 2);
  choice.graded({grade::behind, grade::leader, grade::behind}, start);
  CHECK(choice.present() == 1);
}

TEST_CASE("the leader isn't left for one of which nobody knows") {
  controller_choice choice{2, 0};
  choice.graded({grade::leader, grade::unknown}, start);
  CHECK(choice.present() == 0);
}

TEST_CASE("a follower that failed isn't tried again at once, though the leader praises it") {
  controller_choice choice{2, 0};
  choice.failed(0, start);
  CHECK(choice.present() == 1);
  choice.graded({grade::follower, grade::leader}, start + 1s);
  CHECK(choice.present() == 1);
  choice.graded({grade::follower, grade::leader}, start + 2s);
  CHECK(choice.present() == 0);
}

TEST_CASE("when all have failed just now they take turns") {
  controller_choice choice{3, 0};
  choice.failed(0, start);
  choice.failed(1, start);
  choice.failed(2, start);
  CHECK(choice.present() == 0);
  choice.failed(0, start);
  CHECK(choice.present() == 1);
}
