#include "fault_plan.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <set>
#include <stdexcept>

using namespace novacron::chaos;

namespace {

std::vector<std::string> names(const std::vector<fault>& all) {
  std::vector<std::string> found;
  for (const auto& each : all)
    found.push_back(each.name);
  return found;
}

} // namespace

TEST_CASE("the short form has each fault once, in an order that its seed gives alone") {
  const auto all = read_faults("tests/chaos/faults.toml");
  std::mt19937_64 one{7};
  std::mt19937_64 again{7};
  std::mt19937_64 other{8};
  const auto order = names(in_order(all, {true, true}, one));
  CHECK(order == names(in_order(all, {true, true}, again)));
  CHECK(order != names(in_order(all, {true, true}, other)));
  const auto known = names(all);
  CHECK(std::set<std::string>{order.begin(), order.end()}
        == std::set<std::string>{known.begin(), known.end()});
  CHECK(order.size() == known.size());
}

TEST_CASE("the whole form has each fault as often as it says, and sees all before it repeats one") {
  const auto all = read_faults("tests/chaos/faults.toml");
  std::mt19937_64 random{7};
  const auto order = names(in_order(all, {false, true}, random));
  for (const auto& each : all)
    CHECK_MESSAGE(std::ranges::count(order, each.name) == each.runs, each.name);
  CHECK(std::set<std::string>{order.begin(), order.begin() + static_cast<ptrdiff_t>(all.size())}
            .size()
        == all.size());
}

TEST_CASE("without real guests nothing of theirs is killed") {
  const auto all = read_faults("tests/chaos/faults.toml");
  std::mt19937_64 random{7};
  const auto some = in_order(all, {true, false}, random);
  CHECK(some.size() < all.size());
  CHECK(std::ranges::none_of(some, [](const auto& x) { return x.real; }));
}

TEST_CASE("a fault that says something unknown is refused by its name") {
  for (const std::string bad :
       {"do = \"burn\"", "do = \"kill_node\"\nwho = \"nobody\"", "do = \"kill_node\"\nlasts = 3",
        "do = \"links\"", "do = \"slow_disk\"", "lasts_ms = 3",
        "do = \"kill_node\"\nwho = \"real\"\nrecovered = \"elsewhere\"",
        "do = \"links\"\nheld = true\nway = \"in\"\nwho = \"real\"\nrecovered = \"fenced\"",
        "do = \"kill_actors\"\nrecovered = \"writes\"",
        "do = \"kill_node\"\nwho = \"leader\"\nrecovered = \"returned\"",
        "do = \"host_off\"\nwho = \"leader\"\nrecovered = \"elsewhere\""}) {
    std::string said;
    try {
      parse_faults("[[fault]]\nname = \"x-1\"\n" + bad + '\n', "some.toml");
    } catch (const std::runtime_error& error) {
      said = error.what();
    }
    CHECK_MESSAGE(said.find("x-1") != std::string::npos, bad, ": ", said);
  }
  CHECK_THROWS_AS(parse_faults("", "empty.toml"), std::runtime_error);
  CHECK_THROWS_AS(parse_faults("[[fault]", "torn.toml"), std::runtime_error);
}
