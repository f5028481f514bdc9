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

TEST_CASE("a host and a controller die together: each kind of controller twice, or one once") {
  const auto all = read_faults("tests/chaos/faults.toml");
  auto pairs = [&](bool short_form, uint64_t seed) {
    std::mt19937_64 random{seed};
    std::vector<std::string> found;
    for (const auto& each : host_and_controller(all, {short_form, true}, random))
      found.push_back(each.host.name + " + " + each.controller.name);
    return found;
  };
  const std::string with_leader = "a host dies for good + the leader is killed";
  const std::string with_follower = "a host dies for good + a follower is killed";
  const auto whole = pairs(false, 7);
  CHECK(whole.size() == 4);
  CHECK(std::ranges::count(whole, with_leader) == 2);
  CHECK(std::ranges::count(whole, with_follower) == 2);
  CHECK(whole == pairs(false, 7));
  std::set<std::string> of_the_short_form;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const auto one = pairs(true, seed);
    CHECK(one.size() == 1);
    of_the_short_form.insert(one.begin(), one.end());
  }
  CHECK(of_the_short_form == std::set{with_leader, with_follower});
}

TEST_CASE("without a host that dies, or without a controller that does, there is no pair") {
  auto all = read_faults("tests/chaos/faults.toml");
  std::mt19937_64 random{7};
  auto without_hosts = all;
  std::erase_if(without_hosts, [](const auto& x) { return x.deed == fault_deed::host_off; });
  CHECK(host_and_controller(without_hosts, {false, true}, random).empty());
  std::erase_if(all, [](const auto& x) { return x.deed == fault_deed::kill_node; });
  CHECK(host_and_controller(all, {false, true}, random).empty());
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
