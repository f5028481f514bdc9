#include "actors/gateway/api_metrics.hpp"

#include <doctest/doctest.h>

using namespace novacron;

TEST_CASE("what was made of the pages of migrated guests is added up") {
  api_metrics metrics{nullptr};
  migration_record migration;
  migration.phase = migration_phase::committed;
  migration.cost.guest_bytes = 1'000;
  migration.cost.wire_bytes = 300;
  migration.cost.work.same_pages = 7;
  migration.cost.work.raw_bytes[static_cast<size_t>(opaque_reason::device_state)] = 90;
  migration.cost.work.reconnects = 1;
  metrics.changed(migration); // not over yet
  migration.phase = migration_phase::rolled_back;
  metrics.changed(migration);
  migration.phase = migration_phase::done;
  metrics.changed(migration);
  metrics.changed(migration); // the next one
  const auto text = metrics.scrape({});
  const auto has = [&](const std::string& line) { return text.find(line + '\n') != text.npos; };
  CHECK(has("novacron_dwcp_guest_bytes_total 2000"));
  CHECK(has("novacron_dwcp_wire_bytes_total 600"));
  CHECK(has("novacron_dwcp_pages_total{sent=\"same\"} 14"));
  CHECK(has("novacron_dwcp_pages_total{sent=\"whole\"} 0"));
  CHECK(has("novacron_dwcp_raw_bytes_total{why=\"device_state\"} 180"));
  CHECK(has("novacron_dwcp_reconnects_total 2"));
  CHECK(has("novacron_dwcp_migrations_total{outcome=\"done\"} 2"));
}
