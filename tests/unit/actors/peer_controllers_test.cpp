#include "actors/peer/controller_choice.hpp"
#include "actors/peer/controllers.hpp"

#include <doctest/doctest.h>
#include <set>

using namespace novacron;

namespace {

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

TEST_CASE("a controller that fails is left for the next one") {
  controller_choice choice{3, 2};
  CHECK(choice.present() == 2);
  choice.failed(2);
  CHECK(choice.present() == 0);
  choice.failed(2); // a late answer of the one before
  CHECK(choice.present() == 0);
}

TEST_CASE("a controller that knows no leader twice in a row is left") {
  controller_choice choice{3, 0};
  choice.probed(0, false);
  choice.probed(0, true);
  choice.probed(0, false);
  CHECK(choice.present() == 0);
  choice.probed(0, false);
  CHECK(choice.present() == 1);
}

TEST_CASE("the only controller is kept, whatever it does") {
  controller_choice choice{1, 5};
  choice.failed(0);
  CHECK(choice.present() == 0);
}
