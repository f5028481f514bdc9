#include "bad_call.hpp"

#include <array>

namespace novacron::sim {

namespace {

/// Of no VM: the first entry is the group's founding.
constexpr uint64_t nobodys_revision = 1;

/// What a call gets that names a revision of this VM which it isn't at.
command_errc refusal_of_stale(const vm_record* vm) {
  if (!vm)
    return command_errc::unknown_vm;
  return vm->actual == actual_state::gone || vm->requested == requested_state::deleted
             ? command_errc::vm_deleted
             : command_errc::revision_mismatch;
}

vm_id vm_of(const command_body& what) {
  if (auto request = std::get_if<request_state>(&what))
    return request->vm;
  return std::get<reserve_migration>(what).vm;
}

/// Starts wait for hosts that are awaited, and so does all that may decide a migration.
bool waits_for_hosts(const command_body& what) {
  return std::holds_alternative<create_vm>(what) || std::holds_alternative<reserve_migration>(what)
         || std::holds_alternative<request_state>(what);
}

bool is_right(const fleet& with, const bad_call& call, const command_outcome& answer) {
  if (answer.error == command_errc::hosts_awaited)
    return with.past.recovered() && waits_for_hosts(call.what);
  if (call.why != command_errc::revision_mismatch)
    return answer.error == call.why;
  // Commands of the same entry come before it, or after.
  const auto vm = vm_of(call.what);
  return answer.error == refusal_of_stale(with.past.vm_at(vm, answer.revision))
         || answer.error == refusal_of_stale(with.past.vm_at(vm, answer.revision - 1));
}

} // namespace

bad_call make_bad_call(fleet& with) {
  using enum command_errc;
  auto& luck = with.all.luck;
  const vm_id nobody{with.fresh(2)};
  const node_id nowhere{with.fresh(5)};
  const operation_id operation{with.fresh(3)};
  // A request to delete what is being deleted would be no mistake.
  constexpr std::array states{requested_state::running, requested_state::paused,
                              requested_state::stopped};
  const auto wanted = states[luck.below(states.size())];
  create_vm create;
  create.name = "vm-" + std::to_string(nobody.value.low);
  create.spec.memory_mib = 50;
  create.spec.image = "tick";
  create.operation = operation;
  const auto kind = luck.below(10);
  switch (kind) {
  case 0:
    return {request_state{nobody, wanted, 0, operation}, unknown_vm};
  case 1:
    return {reserve_migration{{with.fresh(4)}, nobody, {}, 0, operation}, unknown_vm};
  case 2: // without an id
    return {create, name_taken};
  case 3:
    create.vm = nobody;
    create.host = nowhere;
    return {create, unknown_host};
  case 4:
    return {fence_host{nowhere}, unknown_host};
  case 5: {
    maintain_host cordon;
    cordon.host = nowhere;
    return {cordon, unknown_host};
  }
  case 6:
    return {cancel_task{{with.fresh(6)}}, unknown_task};
  case 7:
    return {wish_member{nowhere, member_wish::voter, {}}, unknown_node};
  default:
    break;
  }
  if (with.vms.empty())
    return {request_state{nobody, wanted, 0, operation}, unknown_vm};
  const auto vm = with.vms[luck.below(with.vms.size())];
  if (kind == 8)
    return {request_state{vm, wanted, nobodys_revision, operation}, revision_mismatch};
  return {reserve_migration{{with.fresh(4)}, vm, {}, nobodys_revision, operation},
          revision_mismatch};
}

void check_refusal(fleet& with, const bad_call& call, const command_outcome& answer) {
  if (!is_right(with, call, answer))
    throw with.all.check.broken("a bad call, to be refused as " + to_string(call.why)
                                + ", was answered " + to_string(answer.error) + " "
                                + answer.detail);
  with.all.seen.hit(probe::bad_call_refused);
}

} // namespace novacron::sim
