#include "actors/frontend/frontend_state.hpp"
#include "frontend_effects.hpp"
#include "storage/local/entry_packing.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const frontend_state::time_point start{1h};

propose_batch batch_in(const frontend_state::effects& effects) {
  for (const auto& each : effects)
    if (auto* batch = std::get_if<propose_batch>(&each))
      return *batch;
  FAIL("nothing was proposed");
  return {};
}

} // namespace

TEST_CASE("the log has room for each batch of a flood, whatever it is of") {
  frontend_state frontend{{.most_batches = 1}};
  command each{request_state{}, {}};
  SUBCASE("small commands") {}
  SUBCASE("reports that are as long as hosts make them") {
    host_report report;
    report.vms.resize(172);
    each.body = report;
  }
  auto batch = batch_in(frontend.submitted(1, {{each}}, start));
  for (uint64_t ticket = 2; ticket <= 600; ++ticket)
    frontend.submitted(ticket, {{each}}, start);
  for (size_t seen = 1; seen < 600; seen += batch.commands.commands.size()) {
    batch = batch_in(frontend.applied(
        batch.batch, {{batch.commands.commands.size(), command_outcome{}}}, start));
    REQUIRE(approximate_size(batch.commands.commands) <= most_proposal_bytes);
  }
}

TEST_CASE("the renewals of many hosts that come one by one share an entry") {
  constexpr uint64_t hosts = 80;
  frontend_state frontend;
  auto renewal_of = [](uint64_t n) {
    renew_lease renewal;
    renewal.host = node_id{{0, n}};
    return proposal{{{renewal, {}}}};
  };
  const auto first = batch_in(frontend.submitted(1, renewal_of(1), start));
  CHECK(first.commands.commands.size() == 1); // nothing was in flight that it could wait for
  for (uint64_t n = 2; n <= hosts; ++n)
    REQUIRE(frontend.submitted(n, renewal_of(n), start).empty());
  const auto due = frontend.wake();
  REQUIRE(due.has_value());
  CHECK(*due - start == frontend_config{}.batch_wait);
  const auto proposed = all<propose_batch>(frontend.tick(*due));
  REQUIRE(proposed.size() == 1);
  const auto& shared = proposed.front();
  REQUIRE(shared.commands.commands.size() == hosts - 1);
  for (uint64_t n = 2; n <= hosts; ++n)
    CHECK(std::get<renew_lease>(shared.commands.commands[n - 2].body).host == node_id{{0, n}});
  CHECK(approximate_size(shared.commands.commands) <= most_proposal_bytes);
  // Each hears of its own.
  outcomes answer;
  for (uint64_t n = 2; n <= hosts; ++n)
    answer.each.emplace_back().revision = n;
  const auto answered = all<answer_proposal>(frontend.applied(shared.batch, answer, *due));
  REQUIRE(answered.size() == hosts - 1);
  for (const auto& each : answered) {
    REQUIRE(each.answer.each.size() == 1);
    CHECK(each.answer.each.front().revision == each.ticket);
  }
}
