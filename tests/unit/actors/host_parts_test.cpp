#include "actors/host/host_lease.hpp"
#include "actors/host/report_batch.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const node_id here{{1, 1}};

} // namespace

TEST_CASE("the lease's term counts from the sending, not from the answer") {
  host_lease lease{10s, 2s};
  auto attempt = lease.tick(100s);
  REQUIRE(attempt);
  CHECK(lease.granted(*attempt, 42, 107s) == 110s); // however late this came
  CHECK(lease.revision() == 42);
}

TEST_CASE("a lease holds only once the fencer has the deadline") {
  host_lease lease{10s, 2s};
  auto deadline = lease.granted(*lease.tick(100s), 42, 100s);
  CHECK(!lease.held(101s));
  lease.guarded_until(*deadline);
  CHECK(lease.held(109'999ms));
  CHECK(!lease.held(110s));
}

TEST_CASE("each attempt counts from its own sending, and none takes back what a later one gave") {
  host_lease lease{10s, 2s};
  auto first = lease.tick(100s);
  auto second = lease.tick(102s);
  auto third = lease.tick(104s);
  CHECK(lease.granted(*first, 42, 105s) == 110s); // a log that needs longer than the pace will do
  CHECK(lease.granted(*third, 44, 105s) == 114s);
  CHECK(!lease.granted(*second, 43, 105s));
  CHECK(!lease.granted(*third, 44, 105s));
  CHECK(!lease.granted(99, 45, 105s));
}

TEST_CASE("a lease that was over permits from its next grant on, not from its first") {
  host_lease lease{10s, 2s};
  lease.guarded_until(*lease.granted(*lease.tick(100s), 42, 100s));
  CHECK(lease.revision() == 42);
  auto late = lease.tick(115s);
  lease.guarded_until(*lease.granted(*late, 90, 116s));
  CHECK(lease.held(116s));
  CHECK(lease.revision() == 90); // what was decided since 42 may have placed our guests elsewhere
}

TEST_CASE("the last observation of a VM wins, and one report is on its way at a time") {
  report_batch batch;
  batch.add(vm_observation{{{7, 7}}, {0, 1}, actual_state::starting, {}});
  batch.add(vm_observation{{{7, 7}}, {0, 1}, actual_state::running, {}});
  auto report = batch.next(here, {}, 1);
  REQUIRE(report);
  REQUIRE(report->vms.size() == 1);
  CHECK(report->vms[0].actual == actual_state::running);
  batch.add(vm_observation{{{8, 8}}, {0, 1}, actual_state::running, {}});
  CHECK(!batch.next(here, {}, 2));
  batch.ended();
  CHECK(batch.next(here, {}, 3));
}

TEST_CASE("a report never exceeds its bound, and what is beyond comes with the next") {
  report_batch batch;
  for (uint64_t i = 0; i < report_batch::most_observations + 10; ++i)
    batch.add(vm_observation{{{i, 1}}, {0, 1}, actual_state::running, {}});
  CHECK(batch.next(here, {}, 1)->vms.size() == report_batch::most_observations);
  batch.ended();
  CHECK(batch.next(here, {}, 2)->vms.size() == 10);
}

TEST_CASE("a report without observations isn't sent, one of migrations alone is") {
  report_batch batch;
  CHECK(!batch.next(here, {}, 1));
  batch.add(migration_observation{{{9, 9}}, true, {}});
  auto report = batch.next(here, {{3, 3}}, 17);
  REQUIRE(report);
  CHECK(report->migrations.size() == 1);
  CHECK(report->host == here);
  CHECK(report->boot == boot_id{{3, 3}});
  CHECK(report->sequence == 17);
}

TEST_CASE("migrations' ends are bounded as well") {
  report_batch batch;
  for (uint64_t i = 0; i < report_batch::most_observations + 3; ++i)
    batch.add(migration_observation{{{i, 1}}, true, {}});
  CHECK(batch.next(here, {}, 1)->migrations.size() == report_batch::most_observations);
}

TEST_CASE("a lease is renewed at its pace, and knows its first grant while it holds") {
  host_lease lease{10s, 2s};
  auto first = lease.tick(100s);
  REQUIRE(first);
  CHECK(!lease.tick(101s));
  lease.guarded_until(*lease.granted(*first, 42, 100s));
  auto second = lease.tick(102s);
  REQUIRE(second);
  CHECK(lease.granted(*second, 50, 102s) == 112s);
  CHECK(lease.revision() == 42); // what is no older than this may start guests
}
