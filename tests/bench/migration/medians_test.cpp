#include "tests/bench/migration/medians.hpp"

#include <boost/json/value.hpp>
#include <doctest/doctest.h>

using namespace novacron::bench;

namespace {

boost::json::value row(double seconds, bool converged = true) {
  return {{"seconds", seconds}, {"converged", converged}};
}

} // namespace

TEST_CASE(
    "repeats of a cell belong together, and failed ones, other tables and steps don't count") {
  const boost::json::object all{{"pipeline/idle/100m-50ms/tcp/1", row(9)},
                                {"pipeline/idle/100m-50ms/tcp/2", row(7)},
                                {"pipeline/idle/100m-50ms/tcp/3", row(8)},
                                {"pipeline/idle/100m-50ms/dwcp/1", row(2)},
                                {"pipeline/idle/100m-50ms/dwcp/2", {{"error", "it broke"}}},
                                {"product/idle/100m-50ms/tcp/1", row(11)},
                                {"link/100m-50ms", {{"tcp_mbit_per_s", 90}}}};
  const auto cells = measured_cells(all, "pipeline");
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].method == "tcp");
  CHECK(cells[0].rows.size() == 3);
  CHECK(cells[0].median("seconds") == 8);
  CHECK(cells[0].least("seconds") == 7);
  CHECK(cells[0].most("seconds") == 9);
  CHECK(cells[0].median("nothing") == std::nullopt);
  CHECK(cells[1].method == "dwcp");
  CHECK(cells[1].rows.size() == 1);
  CHECK(measured_cells(all, "product").size() == 1);
}

TEST_CASE("what didn't converge is no figure of a cell that mostly did, and the other way round") {
  boost::json::object all{{"pipeline/part12/100m-50ms/tcp/1", row(60, false)},
                          {"pipeline/part12/100m-50ms/tcp/2", row(20)},
                          {"pipeline/part12/100m-50ms/tcp/3", row(22)}};
  CHECK(measured_cells(all, "pipeline")[0].converged());
  CHECK(measured_cells(all, "pipeline")[0].most("seconds") == 22);
  all["pipeline/part12/100m-50ms/tcp/2"] = row(60, false);
  CHECK_FALSE(measured_cells(all, "pipeline")[0].converged());
  CHECK(measured_cells(all, "pipeline")[0].median("seconds") == 60);
}
