#include "actors/frontend/frontend_state.hpp"
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
