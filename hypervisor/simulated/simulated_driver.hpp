#pragma once

#include "hypervisor/simulated/simulated_hypervisor.hpp"

namespace novacron {

/// An agent's view of a simulated host. What it changes goes through
/// `simulated_host::change`, which adds latency and faults.
class simulated_driver final : public hypervisor {
public:
  explicit simulated_driver(std::shared_ptr<simulated_host> host);
  ~simulated_driver() override;

  std::string description() override { return "simulated"; }
  std::string accelerator() override { return "simulated"; }
  result<host_capacity> capacity() override { return host_->config_.capacity; }
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
  using guest = simulated_host::guest;
  using receiver = simulated_host::receiver;

  static void receive(simulated_host& host, receiver& incoming, guest_spec spec, uint64_t pages);

  std::shared_ptr<simulated_host> host_;
  std::shared_ptr<pending_changes> pending_ = std::make_shared<pending_changes>();
  std::mutex listener_mutex_;
  std::function<void(const guest_event&)> listener_;
  std::thread thread_;
};

} // namespace novacron
