#include "actors/migration/guest_steps.hpp"
#include "hypervisor/errors.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

const vm_id vm{{2, 1}};

/// One guest, and what its calls answer.
class one_guest final : public hypervisor {
public:
  std::optional<guest_status> guest = guest_status{vm, {1, 1}, guest_phase::paused, true};
  std::optional<hypervisor_errc> resume_fails;
  std::optional<hypervisor_errc> finish_fails;
  std::string calls;

  std::string description() override { return {}; }
  std::string accelerator() override { return {}; }
  result<host_capacity> capacity() override { return host_capacity{}; }
  std::string live_migration_problem() override { return {}; }
  result<std::vector<guest_status>> list() override {
    return guest ? std::vector<guest_status>{*guest} : std::vector<guest_status>{};
  }
  void subscribe(std::function<void(const guest_event&)>) override {}
  result<void> create(const guest_spec&) override { return {}; }
  result<void> resume(vm_id) override { return answer("resume ", resume_fails); }
  result<void> pause(vm_id) override { return {}; }
  result<void> shutdown(vm_id) override { return {}; }
  result<void> destroy(vm_id) override { return {}; }
  result<guest_statistics> statistics(vm_id) override { return guest_statistics{}; }
  result<void> adopt(vm_id, novacron::epoch epoch) override {
    calls += "adopt ";
    if (guest)
      guest->epoch = epoch;
    return {};
  }
  result<migration_offer> migration_begin(vm_id) override { return migration_offer{}; }
  result<std::string> migration_prepare(const prepare_request&) override { return std::string{}; }
  result<std::string> migration_perform(vm_id, const std::string&,
                                        const std::filesystem::path&) override {
    return std::string{};
  }
  result<std::string> migration_finish(vm_id, const std::string&, bool) override {
    auto done = answer("finish ", finish_fails);
    return done ? result<std::string>{std::string{}} : done.error();
  }
  result<void> migration_confirm(vm_id, const std::string&) override { return {}; }
  result<void> migration_abort(vm_id) override {
    calls += "abort ";
    return {};
  }
  result<migration_job> migration_statistics(vm_id) override { return migration_job{}; }
  result<void> set_max_downtime(vm_id, std::chrono::milliseconds) override { return {}; }

private:
  result<void> answer(const char* call, std::optional<hypervisor_errc> problem) {
    calls += call;
    if (problem)
      return make_failure(*problem, "it was told to");
    return {};
  }
};

struct mark final : finish_mark {
  bool there = false;
  [[nodiscard]] bool stands() const override { return there; }
  bool set() override { return there = true; }
  void remove() override { there = false; }
};

} // namespace

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
    "a guest that came is found under its epoch; one shown as paused must be looked at again") {
  one_guest driver;
  mark none;
  CHECK(!find_guest(driver, none, vm, {1, 1}));
  driver.guest->phase = guest_phase::incoming;
  auto found = find_guest(driver, none, vm, {1, 1});
  REQUIRE(found);
  CHECK(found->guest == found_guest::presence::incoming);
  CHECK(!found->may_have_run);
  none.there = true;
  found = find_guest(driver, none, vm, {1, 2});
  REQUIRE(found);
  CHECK(found->guest == found_guest::presence::absent);
  CHECK(found->may_have_run);
}
