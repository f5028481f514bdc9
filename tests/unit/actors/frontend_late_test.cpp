#include "frontend_effects.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const frontend_state::time_point start{1h};
const place_answer somewhere{{{0, 1}}, {}};

proposal creates(size_t count) {
  return {std::vector<command>(count, command{create_vm{}, {"someone", "a key", {}}})};
}

} // namespace

TEST_CASE("a create that waited too long for its place is refused, not proposed") {
  frontend_state frontend;
  auto questions = all<ask_scheduler>(frontend.submitted(1, creates(2), start));
  REQUIRE(questions.size() == 2);
  CHECK(frontend.placed(questions[0].question, somewhere, start + 4s).empty());
  auto effects = frontend.placed(questions[1].question, somewhere, start + 5s);
  CHECK(all<propose_batch>(effects).empty());
  auto answers = all<answer_proposal>(effects);
  REQUIRE(answers.size() == 1);
  for (const auto& each : answers[0].answer.each)
    CHECK(each.error == command_errc::overloaded);
}

TEST_CASE("the scheduler isn't asked for those who have waited too long") {
  frontend_state frontend{{.most_placements = 1}};
  auto first = all<ask_scheduler>(frontend.submitted(1, creates(1), start));
  REQUIRE(first.size() == 1);
  CHECK(frontend.submitted(2, creates(1), start).empty());
  CHECK(frontend.submitted(3, creates(1), start + 1s).empty());
  auto effects = frontend.placed(first[0].question, somewhere, start + 5s);
  CHECK(all<answer_proposal>(effects).size() == 2);
  CHECK(all<ask_scheduler>(effects).size() == 1); // the third's
}
