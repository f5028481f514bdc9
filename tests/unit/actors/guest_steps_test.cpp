#include "actors/migration/guest_steps.hpp"
#include "tests/power_cut/power_cut.hpp"
#include "tests/unit/actors/one_guest.hpp"
#include "tests/unit/actors/test_authority.hpp"

#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;

namespace {

const vm_id vm = one_guest::vm;

struct mark final : finish_mark {
  bool there = false;
  bool room = true; ///< on the disk
  [[nodiscard]] bool stands() const override { return there; }
  bool set() override { return room && (there = true); }
  void remove() override { there = false; }
};

} // namespace

TEST_CASE("a mark that was set stands after a power cut, the first one of a host as well") {
  scratch_folder folder;
  const auto state = folder.path() / "state";
  std::filesystem::create_directory(state);
  power_cut power{state};
  for (const char* migration : {"first", "second"}) {
    finish_mark_file set{state / "finishing" / migration};
    CHECK(!set.stands());
    REQUIRE(set.set());
    REQUIRE(set.set()); // again, after the process died
    CHECK(set.stands());
    const auto left = folder.path() / migration;
    power.survivors(left);
    CHECK(finish_mark_file{left / "finishing" / migration}.stands());
  }
}

TEST_CASE("a mark that can't be looked at may stand: nobody claims that the guest never ran") {
  scratch_folder folder;
  const auto loop = folder.path() / "loop";
  std::filesystem::create_symlink(loop, loop);
  CHECK(finish_mark_file{loop / "migration"}.stands());
}

TEST_CASE("a source that goes on is adopted before it is resumed") {
  one_guest driver;
  CHECK(!resume_at_source(driver, vm, {1, 3}));
  CHECK(driver.calls == "abort adopt resume ");
  CHECK(driver.guest->epoch == epoch{1, 3});
}

TEST_CASE("a source that has crashed or is gone is as good as resumed, any other refusal isn't") {
  one_guest driver;
  driver.resume_fails = hypervisor_errc::refused;
  CHECK(resume_at_source(driver, vm, {1, 1}));
  driver.guest->phase = guest_phase::crashed;
  CHECK(!resume_at_source(driver, vm, {1, 1}));
  driver.guest.reset();
  driver.resume_fails = hypervisor_errc::no_such_guest;
  CHECK(!resume_at_source(driver, vm, {1, 1}));
}

TEST_CASE(
    "an incoming guest that can't be cancelled is tried again, one that isn't incoming is left") {
  one_guest driver;
  driver.finish_fails = hypervisor_errc::refused;
  driver.guest->phase = guest_phase::incoming;
  CHECK(cancel_guest(driver, vm));
  driver.guest->phase = guest_phase::running;
  CHECK(!cancel_guest(driver, vm));
  driver.finish_fails = hypervisor_errc::outcome_unknown;
  CHECK(cancel_guest(driver, vm));
}

TEST_CASE("a Finish's mark stands afterwards, unless it surely had no effect and is ours") {
  one_guest driver;
  mark ours;
  driver.finish_fails = hypervisor_errc::refused;
  CHECK(finish_guest(driver, ours, vm, {}));
  CHECK(!ours.there);
  driver.finish_fails = hypervisor_errc::outcome_unknown;
  CHECK(finish_guest(driver, ours, vm, {}));
  CHECK(ours.there);
  driver.finish_fails = hypervisor_errc::refused;
  CHECK(finish_guest(driver, ours, vm, {}));
  CHECK(ours.there); // the one before may have had an effect
  driver.finish_fails.reset();
  CHECK(!finish_guest(driver, ours, vm, {}));
  CHECK(ours.there);
}

TEST_CASE(
    "without room for its mark no Finish is begun; one that was begun before isn't forgotten") {
  one_guest driver;
  mark ours;
  ours.room = false;
  auto problem = finish_guest(driver, ours, vm, {});
  REQUIRE(problem.has_value());
  CHECK(problem->code == std::errc::no_space_on_device);
  CHECK(driver.calls.empty());
  ours.there = true;
  problem = finish_guest(driver, ours, vm, {});
  REQUIRE(problem.has_value());
  CHECK(problem->code != std::errc::no_space_on_device);
  CHECK(ours.there);
  CHECK(driver.calls.empty());
}

TEST_CASE("a mark whose folder can't be made is no mark") {
  scratch_folder folder;
  std::ofstream{folder.path() / "finishing"} << "a file";
  finish_mark_file mark{folder.path() / "finishing" / "migration"};
  CHECK(!mark.set());
  CHECK(!mark.stands());
}

TEST_CASE(
    "a guest that came is found under its epoch; one shown as paused is neither here nor gone") {
  one_guest driver;
  mark none;
  auto found = find_guest(driver, none, vm, {1, 1});
  REQUIRE(found.has_value());
  CHECK(found->guest == found_guest::presence::paused);
  driver.guest->phase = guest_phase::incoming;
  found = find_guest(driver, none, vm, {1, 1});
  REQUIRE(found.has_value());
  CHECK(found->guest == found_guest::presence::incoming);
  CHECK(!found->may_have_run);
  none.there = true;
  found = find_guest(driver, none, vm, {1, 2});
  REQUIRE(found.has_value());
  CHECK(found->guest == found_guest::presence::absent);
  CHECK(found->may_have_run);
}
