#include "one_host.hpp"

#include <algorithm>

// A host whose cluster was recovered from a part of the log.

using namespace novacron;
using namespace novacron::host_test;

namespace {

/// Where the recovered log goes on, far beyond all that the lost one had.
constexpr uint64_t jump = 1'000'000;

struct recovered_host : one_host {
  /// It has heard of the lost log up to 90, with a lease of then.
  recovered_host() {
    register_it();
    lists(90, {});
    hold_lease(80);
    looks({});
    pass(2s);
  }

  /// The recovered log doesn't know its boot, so it registers again.
  void register_again() {
    lose_registration();
    take(logic.registered(accepted_at(jump)));
  }

  static host_record own(bool awaited) {
    host_record record;
    record.id = here;
    record.boot = {{4, 1}};
    record.awaited = awaited;
    record.revision = awaited ? jump : jump + 50;
    return record;
  }

  /// The feed has to be read anew.
  void is_told_to_list() {
    REQUIRE(logic.follower().next(now.now));
    logic.follower().changed({jump, true, {}, {}}, now.now);
    pass(1s);
  }
  /// What the recovered log has.
  void lists_again(std::vector<any_record> records) {
    is_told_to_list();
    lists(jump, std::move(records));
  }

  /// Looks, when it wants to, and sees these.
  void sees(const std::vector<guest_status>& guests) {
    pass(1s);
    tick();
    REQUIRE(taken<look_at_guests>().size() == 1);
    take(logic.looked(guests, now.now, now));
  }
  size_t inventories() { return taken<propose_inventory>().size(); }

  static guest_status running(epoch of) {
    guest_status guest;
    guest.vm = vm;
    guest.phase = guest_phase::running;
    guest.epoch = of;
    return guest;
  }
};

} // namespace

TEST_CASE_FIXTURE(recovered_host, "it says what runs once it knows what the recovered log has") {
  register_again();
  looks({}); // it still follows the lost log
  CHECK(inventories() == 0);
  is_told_to_list();
  REQUIRE(logic.follower().next(now.now));
  logic.follower().listed({jump, {own(true)}, "more"}, now.now);
  take(logic.log_changed(now));
  sees({}); // who knows what is still to come
  CHECK(inventories() == 0);
  lists(jump, {});
  sees({});
  const auto said = taken<propose_inventory>();
  REQUIRE(said.size() == 1);
  CHECK(said[0].command == confirm_inventory{here, {{4, 1}}});
  sees({});
  CHECK(inventories() == 0); // one is out
  take(logic.inventory_confirmed(std::nullopt));
  sees({});
  CHECK(inventories() == 1);
  take(logic.inventory_confirmed(accepted_at(jump + 50)));
  changes(jump + 50, own(false));
  sees({});
  CHECK(inventories() == 0);
}

TEST_CASE_FIXTURE(recovered_host, "a look that began before it had registered doesn't count") {
  register_again(); // with a look under way
  lists_again({own(true)});
  looks({});
  CHECK(inventories() == 0);
  sees({});
  CHECK(inventories() == 1);
}

TEST_CASE_FIXTURE(recovered_host, "it says nothing yet to a log that knows it by another boot") {
  auto known = own(true);
  known.boot = {{4, 9}};
  register_again();
  looks({});
  lists_again({known});
  sees({});
  CHECK(inventories() == 0);
  known = own(true);
  known.revision = jump + 10;
  changes(jump + 10, known);
  sees({});
  CHECK(inventories() == 1);
}

TEST_CASE_FIXTURE(recovered_host, "a guest that the recovered log has elsewhere is gone first") {
  auto elsewhere = wanted(70);
  elsewhere.host = there;
  register_again();
  looks({});
  lists_again({own(true)});
  sees({running({1, 2})}); // by the lost part it was here
  CHECK(inventories() == 0);
  CHECK(taken<ask_about_vm>().size() == 1);
  take(logic.told_about(vm, feed_listing{jump, {elsewhere}, {}}));
  sees({running({1, 2})});
  CHECK(inventories() == 0);
  sees({});
  CHECK(inventories() == 1);
}

TEST_CASE_FIXTURE(recovered_host, "so is one that runs by a decision that was lost") {
  migration_record moving;
  moving.id = {{3, 1}};
  moving.vm = vm;
  moving.from = there;
  moving.to = here;
  moving.phase = migration_phase::reserved;
  moving.epoch = {1, 1};
  moving.revision = jump;
  auto leaving = wanted(jump);
  leaving.host = there;
  leaving.migration = moving.id;
  register_again();
  looks({});
  lists_again({own(true), moving, leaving});
  const auto warnings = [&] {
    return std::ranges::count_if(taken<note_host>(), [](const auto& x) { return x.warning; });
  };
  warnings();
  for (int n = 0; n < 2; ++n) {
    sees({running({1, 2})});
    CHECK(inventories() == 0);
    CHECK(warnings() == (n == 0 ? 1 : 0)); // it says so once
  }
  auto loading = running({1, 2});
  loading.phase = guest_phase::incoming; // as it should be
  sees({loading});
  CHECK(inventories() == 1);
}

TEST_CASE_FIXTURE(recovered_host,
                  "a guest that runs as the recovered log has it keeps nobody waiting") {
  auto ours = wanted(jump);
  register_again();
  looks({});
  lists_again({own(true), ours});
  sees({running(ours.epoch)});
  CHECK(inventories() == 1);
}

TEST_CASE_FIXTURE(recovered_host, "a log that knows another boot is told to know this one first") {
  register_again();
  looks({});
  lists_again({own(true)});
  sees({});
  REQUIRE(inventories() == 1);
  command_outcome refused;
  refused.error = command_errc::stale_lease;
  take(logic.inventory_confirmed(refused));
  tick();
  CHECK(taken<propose_registration>().size() == 1);
  sees({});
  CHECK(inventories() == 0);
}

TEST_CASE_FIXTURE(recovered_host,
                  "no guest starts here before every host has said what runs there") {
  auto other = own(true);
  other.id = there;
  register_again();
  looks({});
  lists_again({own(false), other, wanted(jump)});
  pass(1s);
  hold_lease(jump);
  sees({});
  CHECK_FALSE(logic.starting_allowed(now.boot)); // by the lost part it may run there
  other.awaited = false;
  other.revision = jump + 60;
  changes(jump + 60, other);
  CHECK(logic.starting_allowed(now.boot));
}

TEST_CASE_FIXTURE(recovered_host, "one that is fenced is not waited for") {
  auto other = own(true);
  other.id = there;
  other.state = host_state::fenced;
  register_again();
  looks({});
  lists_again({own(false), other});
  pass(1s);
  hold_lease(jump);
  sees({});
  CHECK(logic.starting_allowed(now.boot));
}

TEST_CASE_FIXTURE(recovered_host, "nor does one start between two pages of what the log has") {
  CHECK(logic.starting_allowed(now.boot)); // by the lost log, under a lease that is still good
  is_told_to_list();
  REQUIRE(logic.follower().next(now.now));
  logic.follower().listed({jump, {wanted(jump)}, "the hosts"}, now.now);
  CHECK_FALSE(logic.starting_allowed(now.boot));
  lists(jump, {own(false)});
  CHECK(logic.starting_allowed(now.boot));
}

TEST_CASE_FIXTURE(recovered_host,
                  "a VM whose migration the recovered log goes on with isn't forgotten") {
  migration_record left; // from here, and done by the lost log
  left.id = {{3, 1}};
  left.vm = vm;
  left.from = here;
  left.to = there;
  left.phase = migration_phase::done;
  left.source_clean = left.destination_clean = true;
  left.epoch = {1, 1};
  left.revision = 95;
  changes(95, left);
  auto elsewhere = wanted(jump);
  elsewhere.host = there;
  elsewhere.migration = left.id;
  is_told_to_list();
  REQUIRE(logic.follower().next(now.now));
  logic.follower().listed({jump, {elsewhere}, "the migrations"}, now.now);
  sees({}); // between two pages
  left.phase = migration_phase::finished;
  left.source_clean = false;
  left.revision = jump;
  lists(jump, {left});
  CHECK(taken<need_migration_actor>().size() == 1);
  CHECK(logic.attached(left.id));
}
