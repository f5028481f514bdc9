#include "storage/state/batch_applier.hpp"

#include <algorithm>

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
  if (host->state != host_state::up)
    return refuse(command_errc::unknown_host, what + "host " + host->name + " is "
                                                  + to_string(host->state)
                                                  + "; choose one that is up");
  if (auto why = why_no_room(*host, state_.load_of(host->id), command.spec); !why.empty())
    return refuse(command_errc::no_capacity, std::move(why));
  if (std::find(host->images.begin(), host->images.end(), command.spec.image) == host->images.end())
    return refuse(command_errc::wrong_state, what + "host " + host->name + " has no image \""
                                                 + command.spec.image
                                                 + "\"; choose one that it has");

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
