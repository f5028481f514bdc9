#pragma once

#include "hypervisor/simulated/machine_calls.hpp"

#include <mutex>
#include <thread>

namespace novacron {

/// The agent's end of a simulated machine. Each call has a connection of its own;
/// one more, held as long as the driver lives, brings the events.
class machine_driver final : public hypervisor {
public:
  machine_driver(machine_config config, std::filesystem::path program);
  ~machine_driver() override;
  /// Attaches, or starts a machine; call it once, before anything else.
  result<void> begin();

  std::string description() override { return "simulated"; }
  std::string accelerator() override { return "simulated"; }
  result<host_capacity> capacity() override;
  std::string live_migration_problem() override { return {}; }
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
  result<stream_socket> attach();
  result<stream_socket> attach_or_start();
  void follow(stream_socket events);
  /// What `hypervisor`'s function of these parameters would give there.
  template <class Value, class... Parameters>
  result<Value> ask(machine_call call, result<Value> (hypervisor::*function)(Parameters...),
                    const std::type_identity_t<std::decay_t<Parameters>>&... given);

  machine_config config_;
  std::filesystem::path program_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> session_{0}; ///< 0: none
  std::mutex listener_mutex_;
  std::function<void(const guest_event&)> listener_;
  std::thread thread_;
};

} // namespace novacron
