#include "actors/frontend/forwarding.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const forwarding::time_point start{100s};
const node_id here{{0, 1}};
const node_id second{{0, 2}};
const node_id third{{0, 3}};
const leadership leads_here{true, here, 1};
const leadership second_leads{false, second, 2};
const leadership nobody{false, {}, 3};

proposal wishes(size_t count = 1) {
  return {std::vector<command>(count, command{barrier{}, {}})};
}

outcomes all(command_errc error, size_t count = 1) {
  command_outcome one;
  one.error = error;
  return {std::vector<command_outcome>(count, one)};
}

proposal keyed_wishes(size_t count = 1) {
  return {std::vector<command>(count, command{barrier{}, {"somebody", "a key", {}}})};
}

template <class Effect>
const Effect& the(const forwarding::effects& effects) {
  REQUIRE(effects.size() == 1);
  REQUIRE(std::holds_alternative<Effect>(effects.front()));
  return std::get<Effect>(effects.front());
}

command_errc answer_in(const forwarding::effects& effects) {
  return the<answer_proposal>(effects).answer.each.front().error;
}

forwarding led_by(const leadership& who) {
  forwarding way;
  way.led_by(who, start);
  return way;
}

} // namespace

TEST_CASE("the leader proposes here") {
  auto way = led_by(leads_here);
  CHECK(the<submit_here>(way.submitted(7, wishes(), false, start)).ticket == 7);
  CHECK(answer_in(way.answered(7, all(command_errc::none), start)) == command_errc::none);
  CHECK(!way.wake());
}

TEST_CASE("a command that the cluster's version doesn't know yet goes nowhere") {
  const proposal later{{command{confirm_inventory{}, {}}}};
  for (const bool here_too : {true, false}) {
    auto way = led_by({here_too, second, 1, 4});
    const auto refused = way.submitted(7, later, false, start);
    CHECK(answer_in(refused) == command_errc::needs_upgrade);
    CHECK(the<answer_proposal>(refused).answer.each.front().detail.find("upgrade every controller")
          != std::string::npos);
    CHECK(!way.wake());
    CHECK(way.submitted(8, wishes(), false, start).size() == 1);
  }
  auto raised = led_by({false, second, 1, 5});
  CHECK(the<forward_proposal>(raised.submitted(7, later, false, start)).to == second);
}

TEST_CASE("a command that waited for a leader goes to none that doesn't know it") {
  for (const bool here_too : {true, false}) {
    auto way = led_by({});
    CHECK(way.submitted(7, {{command{confirm_inventory{}, {}}}}, false, start).empty());
    CHECK(answer_in(way.led_by({here_too, second, 1, 4}, start)) == command_errc::needs_upgrade);
    CHECK(!way.wake());
  }
}

TEST_CASE("who doesn't lead forwards to the leader") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, wishes(), false, start));
  CHECK(sent.to == second);
  CHECK(answer_in(way.answered(sent, all(command_errc::name_taken), start))
        == command_errc::name_taken);
}

TEST_CASE("a proposal that was forwarded is not forwarded again") {
  auto way = led_by(second_leads);
  CHECK(answer_in(way.submitted(7, wishes(), true, start)) == command_errc::not_leader);
  auto leader = led_by(leads_here);
  the<submit_here>(leader.submitted(8, wishes(), true, start));
  CHECK(answer_in(leader.answered(8, all(command_errc::not_leader), start))
        == command_errc::not_leader);
}

TEST_CASE("what did nothing goes to the new leader, once it is known") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, wishes(), false, start));
  way.led_by(nobody, start + 1ms);
  CHECK(way.answered(sent, all(command_errc::not_leader), start + 2ms).empty());
  CHECK(the<forward_proposal>(way.led_by({false, third, 4}, start + 3ms)).to == third);
}

TEST_CASE("what did nothing is tried again with the same leader only after a while") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, wishes(), false, start));
  CHECK(way.not_sent(sent, start).empty());
  CHECK(way.tick(start + 24ms).empty());
  CHECK(way.wake() == start + 25ms);
  CHECK(the<forward_proposal>(way.tick(start + 25ms)).to == second);
}

TEST_CASE("a proposal of which nobody knows is not repeated without a key") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, wishes(2), false, start));
  const auto effects = way.lost(sent, start);
  CHECK(answer_in(effects) == command_errc::unknown_outcome);
  CHECK(std::get<answer_proposal>(effects.front()).answer.each.size() == 2);
  CHECK(way.led_by(leads_here, start + 1ms).empty());
}

TEST_CASE("a proposal of which nobody knows is repeated if its commands have keys") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, keyed_wishes(2), false, start));
  CHECK(way.lost(sent, start).empty());
  way.led_by(nobody, start + 1ms);
  CHECK(the<forward_proposal>(way.led_by({false, third, 4}, start + 1s)).to == third);
}

TEST_CASE("a repeated proposal that nobody answers in time is of unknown outcome") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, keyed_wishes(), false, start));
  way.led_by(nobody, start + 1ms);
  way.lost(sent, start + 1ms);
  CHECK(way.tick(start + 2'499ms).empty());
  CHECK(answer_in(way.tick(start + 2'500ms)) == command_errc::unknown_outcome);
}

TEST_CASE("an outcome that is not known, beside some that did nothing, is not repeated") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, wishes(2), false, start));
  auto mixed = all(command_errc::not_leader, 2);
  mixed.each[1].error = command_errc::unknown_outcome;
  CHECK(answer_in(way.answered(sent, mixed, start)) == command_errc::not_leader);
  CHECK(way.led_by(leads_here, start).empty());
}

TEST_CASE("a proposal waits for a leader, but not for ever") {
  auto way = led_by(nobody);
  CHECK(way.submitted(7, wishes(), false, start).empty());
  CHECK(way.wake() == start + 2'500ms);
  CHECK(way.tick(start + 2'499ms).empty());
  CHECK(answer_in(way.tick(start + 2'500ms)) == command_errc::not_leader);
  CHECK(!way.wake());
}

TEST_CASE("an answer of another length is no answer") {
  auto way = led_by(second_leads);
  const auto sent = the<forward_proposal>(way.submitted(7, wishes(2), false, start));
  CHECK(answer_in(way.answered(sent, all(command_errc::none, 1), start))
        == command_errc::unknown_outcome);
}

TEST_CASE("more commands than may wait are refused, until some are answered") {
  forwarding way{forwarding_config{.most_commands = 3}};
  CHECK(way.submitted(1, wishes(2), false, start).empty());
  CHECK(answer_in(way.submitted(2, wishes(2), false, start)) == command_errc::overloaded);
  way.tick(start + 3s);
  CHECK(way.submitted(3, wishes(2), false, start + 3s).empty());
}

TEST_CASE("a frontend that ends says what is known of what it held") {
  auto way = led_by(second_leads);
  way.submitted(1, wishes(), false, start);
  way.led_by(nobody, start);
  way.submitted(2, wishes(), false, start);
  const auto effects = way.abandon();
  REQUIRE(effects.size() == 2);
  CHECK(std::get<answer_proposal>(effects[0]).answer.each.front().error
        == command_errc::unknown_outcome);
  CHECK(std::get<answer_proposal>(effects[1]).answer.each.front().error
        == command_errc::not_leader);
}

// -- a leader that is silent, but lives ---------------------------------------------

TEST_CASE("what a silent leader was asked goes to its successor, where that is safe") {
  auto way = led_by(second_leads);
  const auto silent = the<forward_proposal>(way.submitted(7, keyed_wishes(), false, start));
  CHECK(way.led_by(nobody, start + 700ms).empty());
  const auto repeated = the<forward_proposal>(way.led_by({false, third, 3}, start + 1s));
  CHECK(repeated.to == third);
  CHECK(*repeated.what == *silent.what);
  CHECK(answer_in(way.answered(repeated, all(command_errc::none), start)) == command_errc::none);
}

TEST_CASE("what a silent leader was asked is proposed here, if this node is its successor") {
  auto way = led_by(second_leads);
  way.submitted(7, keyed_wishes(), false, start);
  CHECK(the<submit_here>(way.led_by({true, here, 3}, start + 1s)).ticket == 7);
}

TEST_CASE("what can't be repeated safely is known to be lost once a successor is") {
  auto way = led_by(second_leads);
  auto mixed = keyed_wishes(2);
  mixed.commands[1].idempotency = {};
  way.submitted(7, mixed, false, start);
  CHECK(way.led_by(nobody, start + 700ms).empty());
  const auto effects = way.led_by({false, third, 3}, start + 1s);
  CHECK(answer_in(effects) == command_errc::unknown_outcome);
  CHECK(std::get<answer_proposal>(effects.front()).answer.each.size() == 2);
}

TEST_CASE("a leader that goes on in a later term still answers") {
  auto way = led_by(second_leads);
  way.submitted(7, wishes(), false, start);
  CHECK(way.led_by({false, second, 3}, start + 1s).empty());
}

TEST_CASE("what is said of an earlier attempt counts no more") {
  auto way = led_by(second_leads);
  const auto silent = the<forward_proposal>(way.submitted(7, keyed_wishes(), false, start));
  const auto repeated = the<forward_proposal>(way.led_by({false, third, 3}, start + 1s));
  CHECK(way.lost(silent, start + 1s).empty());
  CHECK(way.not_sent(silent, start + 1s).empty());
  CHECK(way.answered(silent, all(command_errc::not_leader), start + 1s).empty());
  CHECK(way.tick(start + 2s).empty());
  CHECK(answer_in(way.answered(repeated, all(command_errc::none), start + 2s))
        == command_errc::none);
}

TEST_CASE("of a repeated proposal nobody says that it did nothing") {
  for (auto refusal : {command_errc::overloaded, command_errc::not_leader}) {
    auto way = led_by(second_leads);
    way.submitted(7, keyed_wishes(), false, start);
    const auto repeated = the<forward_proposal>(way.led_by({false, third, 3}, start + 1s));
    auto effects = way.answered(repeated, all(refusal), start + 1s);
    if (effects.empty()) { // it waits for another leader, in vain
      way.led_by(nobody, start + 1s);
      effects = way.tick(start + 3s);
    }
    CHECK(answer_in(effects) == command_errc::unknown_outcome);
  }
}
