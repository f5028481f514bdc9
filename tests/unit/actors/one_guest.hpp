#pragma once

#include "hypervisor/errors.hpp"
#include "hypervisor/hypervisor.hpp"

#include <optional>
#include <string>

namespace novacron {

/// One guest, and what its calls answer.
class one_guest final : public hypervisor {
public:
  static constexpr vm_id vm{{2, 1}};
  std::optional<guest_status> guest = guest_status{vm, {1, 1}, guest_phase::paused, true};
  std::optional<hypervisor_errc> resume_fails;
  std::optional<hypervisor_errc> finish_fails;
  std::optional<hypervisor_errc> prepare_fails;
  std::string calls;

  std::string description() override { return {}; }
  std::string accelerator() override { return {}; }
  result<host_capacity> capacity() override { return host_capacity{}; }
  std::string live_migration_problem() override { return {}; }
  result<std::vector<guest_status>> list() override {
    return guest ? std::vector<guest_status>{*guest} : std::vector<guest_status>{};
  }
  void subscribe(std::function<void(const guest_event&)>) override {}
  result<void> create(const guest_spec&) override { return answer("create ", {}); }
  result<void> resume(vm_id) override { return answer("resume ", resume_fails); }
  result<void> pause(vm_id) override { return {}; }
  result<void> shutdown(vm_id) override { return {}; }
  result<void> destroy(vm_id) override { return answer("destroy ", {}); }
  result<guest_statistics> statistics(vm_id) override { return guest_statistics{}; }
  result<void> adopt(vm_id, novacron::epoch epoch) override {
    calls += "adopt ";
    if (guest)
      guest->epoch = epoch;
    return {};
  }
  result<migration_offer> migration_begin(vm_id) override { return migration_offer{}; }
  result<std::string> migration_prepare(const prepare_request&) override {
    auto done = answer("prepare ", prepare_fails);
    return done ? result<std::string>{std::string{}} : done.error();
  }
  result<std::string> migration_perform(vm_id, const perform_request&) override {
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

} // namespace novacron
