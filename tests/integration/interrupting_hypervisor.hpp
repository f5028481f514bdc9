#pragma once

#include "actors/log/log.hpp"
#include "hypervisor/hypervisor.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace novacron::test {

/// The calls that a test may want to interrupt.
enum class guest_step : uint8_t {
  create,
  resume,
  destroy,
  adopt,
  begin,
  prepare,
  perform,
  finish,
  cancel, ///< a Finish that removes the incoming guest
  confirm,
};
std::string to_string(guest_step x);
enum class moment : uint8_t { before, after };

/// What a test does to the hypervisor of a host, over all lives of its agent.
/// Any thread; what is set holds for calls that begin later.
class interruptions {
public:
  /// Called on the thread that makes the call, around each step.
  using hook = std::function<void(guest_step, moment)>;
  /// Where QEMU's stream shall go instead of the agent's socket.
  using detour = std::function<std::filesystem::path(const std::filesystem::path&)>;

  /// Each step is told to `log`, as one of `host`.
  interruptions(logger log, std::string host) : log_{std::move(log)}, host_{std::move(host)} {
    // nop
  }

  void at_each_step(hook what);
  void send_streams_by(detour where);
  /// Neither hook nor detour.
  void clear();

  void run(guest_step step, moment when) const;
  [[nodiscard]] std::filesystem::path stream_socket(const std::filesystem::path& wanted) const;

private:
  logger log_;
  std::string host_;
  mutable std::mutex mutex_;
  hook hook_;
  detour detour_;
};

/// A driver whose agent can die: every call is passed on, with the test's hook
/// before and after it, until `die`; from then on nothing reaches the real one,
/// which goes as soon as the last call has left it.
class interrupting_hypervisor final : public hypervisor {
public:
  interrupting_hypervisor(std::shared_ptr<hypervisor> real,
                          std::shared_ptr<const interruptions> plan)
      : real_{std::move(real)}, plan_{std::move(plan)} {
    // nop
  }

  /// Nothing passes from now on. Yields the real driver, to see it go.
  std::weak_ptr<hypervisor> die();

  std::string description() override;
  std::string accelerator() override;
  result<host_capacity> capacity() override;
  std::string live_migration_problem() override;
  result<std::vector<guest_status>> list() override;
  void subscribe(std::function<void(const guest_event&)> listener) override;
  result<void> create(const guest_spec& spec) override;
  result<void> resume(vm_id vm) override;
  result<void> pause(vm_id vm) override;
  result<void> shutdown(vm_id vm) override;
  result<void> destroy(vm_id vm) override;
  result<guest_statistics> statistics(vm_id vm) override;
  result<void> adopt(vm_id vm, novacron::epoch epoch) override;
  result<migration_offer> migration_begin(vm_id vm) override;
  result<std::string> migration_prepare(const prepare_request& request) override;
  result<std::string> migration_perform(vm_id vm, const perform_request& request) override;
  result<std::string> migration_finish(vm_id vm, const std::string& cookie,
                                       bool cancelled) override;
  result<void> migration_confirm(vm_id vm, const std::string& cookie) override;
  result<void> migration_abort(vm_id vm) override;
  result<migration_job> migration_statistics(vm_id vm) override;
  result<void> set_max_downtime(vm_id vm, std::chrono::milliseconds limit) override;

private:
  /// Empty once dead.
  std::shared_ptr<hypervisor> real() const;
  template <class Call>
  auto pass(Call call) -> decltype(call(std::declval<hypervisor&>()));
  template <class Call>
  auto step(guest_step what, Call call) -> decltype(call(std::declval<hypervisor&>()));

  mutable std::mutex mutex_;
  std::shared_ptr<hypervisor> real_;
  std::shared_ptr<const interruptions> plan_;
};

} // namespace novacron::test
