#include "actors/backup/backup_schedule.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1'800'000'000}};

} // namespace

TEST_CASE("a backup is due at once where there is none, then a period after the newest") {
  backup_schedule schedule{1h, {}};
  CHECK(schedule.due(noon, false));
  schedule.made(noon);
  CHECK(!schedule.due(noon + 59min, false));
  CHECK(schedule.due(noon + 1h, false));
}

TEST_CASE("what a restarted node finds in its folder counts") {
  const backup_schedule schedule{1h, noon};
  CHECK(!schedule.due(noon + 59min, false));
  CHECK(schedule.due(noon + 61min, false));
}

TEST_CASE("a leader leaves backups to the others, for one period") {
  const backup_schedule schedule{1h, noon};
  CHECK(!schedule.due(noon + 119min, true));
  CHECK(schedule.due(noon + 2h, true));
}

TEST_CASE("a backup that failed is tried again after a minute, not at once") {
  backup_schedule schedule{1h, noon};
  schedule.failed(noon + 1h);
  CHECK(!schedule.due(noon + 1h + 59s, false));
  CHECK(schedule.due(noon + 1h + 60s, false));
  schedule.made(noon + 1h + 60s);
  CHECK(!schedule.due(noon + 2h, false));
}

TEST_CASE("a clock that was set back doesn't hold backups up") {
  CHECK(backup_schedule{1h, noon}.due(noon - 24h, false));
}
