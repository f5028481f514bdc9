#pragma once

#include "actors/view/view_table.hpp"
#include "messages/commands.hpp"
#include "view_records.hpp"

#include <atomic>
#include <map>
#include <mutex>

namespace novacron {

/// A log of a few lines: creates VMs, refuses names that are taken, lets
/// operations run until `finish`, and shows all of it in a view at once.
class small_log {
public:
  explicit small_log(std::shared_ptr<view_table> view) : view_{std::move(view)} {
    view_->listed(host_of(9, 1));
    view_->keep_only({{record_type::host, uuid_of(9)}});
    view_->advance(1);
  }

  std::optional<command_outcome> operator()(const command& asked) {
    std::lock_guard lock{mutex_};
    commands.push_back(asked);
    if (silent)
      return std::nullopt;
    command_outcome outcome;
    outcome.error = refuse_with;
    outcome.detail = refuse_with == command_errc::none ? "" : "the log refuses";
    outcome.revision = ++revision_;
    if (auto* wish = std::get_if<create_vm>(&asked.body))
      create(*wish, outcome);
    else if (auto* change = std::get_if<request_state>(&asked.body))
      change_state(change->vm, change->operation, outcome);
    else if (auto* reserve = std::get_if<reserve_migration>(&asked.body))
      change_state(reserve->vm, reserve->operation, outcome);
    else if (std::holds_alternative<fence_host>(asked.body))
      fence(outcome);
    return outcome;
  }

  /// Ends an operation.
  void finish(operation_id id, operation_state state) {
    std::lock_guard lock{mutex_};
    show(operation_of(id.value.low, ++revision_, state));
  }

  /// Changes a VM, as a host's report would.
  uint64_t touch(uint64_t vm) {
    std::lock_guard lock{mutex_};
    show(vm_of(vm, ++revision_, {uuid_of(9)}));
    return revision_;
  }

  [[nodiscard]] size_t size() const {
    std::lock_guard lock{mutex_};
    return commands.size();
  }

  std::vector<command> commands; ///< all that were asked
  command_errc refuse_with = command_errc::none;
  std::atomic<bool> silent = false; ///< never answers

private:
  void create(const create_vm& wish, command_outcome& outcome) {
    if (names_.contains(wish.name)) {
      outcome.error = command_errc::name_taken;
      outcome.detail = "the name " + wish.name + " is taken; choose another";
    }
    if (!outcome.ok())
      return;
    names_.emplace(wish.name, wish.vm);
    auto vm = vm_of(1, outcome.revision, {uuid_of(9)});
    vm.id = wish.vm;
    vm.name = wish.name;
    vm.spec = wish.spec;
    outcome.vm = wish.vm;
    outcome.operation = wish.operation;
    show(vm);
  }

  void change_state(vm_id vm, operation_id operation, command_outcome& outcome) {
    if (!outcome.ok())
      return;
    outcome.vm = vm;
    outcome.operation = operation;
    auto record = operation_of(1, outcome.revision, operation_state::running);
    record.id = operation;
    record.vm = vm;
    show(record);
  }

  void fence(const command_outcome& outcome) {
    if (!outcome.ok())
      return;
    auto host = host_of(9, outcome.revision);
    host.state = host_state::fenced;
    show(host);
  }

  void show(const any_record& record) {
    view_->changed(record);
    view_->advance(revision_);
  }

  std::shared_ptr<view_table> view_;
  mutable std::mutex mutex_;
  std::map<std::string, vm_id> names_;
  uint64_t revision_ = 1;
};

} // namespace novacron
