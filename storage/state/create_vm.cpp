#include "storage/state/batch_applier.hpp"

namespace novacron {

batch_applier::outcome batch_applier::apply(const create_vm& command) {
  if (auto before = seen_before(command.operation, command.vm))
    return *before;
  const auto what = "vm " + command.name + ": ";
  if (command.vm.nil() || state_.find(command.vm))
    return refuse(command_errc::name_taken,
                  what + "the id " + to_string(command.vm) + " is taken; choose a new one");
  if (auto taken = state_.names_.find(command.name); taken != state_.names_.end())
    return refuse(command_errc::name_taken, what + "the name is taken by "
                                                + to_string(taken->second)
                                                + "; choose another, or delete that vm");
  auto host = state_.find(command.host);
  if (!host)
    return refuse(command_errc::unknown_host, what + "there is no host " + to_string(command.host));
  if (auto why = why_not_on(*host, command.spec, {}, nullptr))
    return *why;

  vm_record vm;
  vm.id = command.vm;
  vm.name = command.name;
  vm.spec = command.spec;
  vm.host = command.host;
  vm.epoch = {batch_.timeline, 0};
  vm.created = state_.now_;
  auto accepted = accept(vm, command.operation);
  add(std::move(vm));
  begin_ended(command.operation, operation_verb::create, command.vm);
  return accepted;
}

} // namespace novacron
