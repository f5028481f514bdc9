#include "actors/host/host_lease.hpp"
#include "actors/host/report_batch.hpp"
#include "storage/local/entry_packing.hpp"

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

TEST_CASE("a report fits an entry beside another, whatever it says; the rest comes with the next") {
  size_t reason_bytes = 0;
  SUBCASE("all is well") {}
  SUBCASE("an image is missing") {
    reason_bytes = 130;
  }
  SUBCASE("QEMU says why, at length") {
    reason_bytes = 1'500;
  }
  report_batch batch;
  size_t left = 400;
  for (uint64_t i = 0; i < left; ++i)
    batch.add(
        vm_observation{{{i, 1}}, {0, 1}, actual_state::failed, std::string(reason_bytes, 'x')});
  for (uint64_t sequence = 1; left > 0; ++sequence) {
    auto report = batch.next(here, {}, sequence);
    REQUIRE(report);
    REQUIRE(!report->vms.empty());
    left -= report->vms.size();
    const command one{std::move(*report), {}};
    CHECK(approximate_size({&one, 1}) <= most_proposal_bytes / 2);
    batch.ended();
  }
  CHECK(!batch.next(here, {}, 1'000));
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

TEST_CASE("migrations' ends are bounded as well, and go before VMs") {
  report_batch batch;
  batch.add(vm_observation{{{7, 7}}, {0, 1}, actual_state::running, {}});
  for (uint64_t i = 0; i < 1'000; ++i)
    batch.add(migration_observation{{{i, 1}}, true, {}});
  auto report = batch.next(here, {}, 1);
  CHECK(report->vms.empty());
  CHECK(report->migrations.size() < 1'000);
  const command one{std::move(*report), {}};
  CHECK(approximate_size({&one, 1}) <= most_proposal_bytes / 2);
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
