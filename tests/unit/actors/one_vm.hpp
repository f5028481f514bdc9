#pragma once

#include "actors/vm/vm_state.hpp"

#include <chrono>

namespace novacron::vm_test {

using presence = guest_seen::presence;

inline const node_id here{{1, 1}};
inline const node_id elsewhere{{2, 2}};

/// One VM on this host, and what its actor asks for.
struct one_vm {
  vm_state state{{here, std::chrono::seconds{5}, std::chrono::milliseconds{500}}};
  vm_changed word;
  vm_state::time_point now{std::chrono::hours{1}};

  one_vm() {
    word.vm.id = {{7, 7}};
    word.vm.name = "web-1";
    word.vm.host = here;
    word.vm.epoch = {0, 1};
    word.vm.requested = requested_state::running;
    word.vm.actual = actual_state::starting;
    word.vm.revision = 10;
    word.may_start = true;
  }

  vm_state::effects say() {
    ++word.vm.revision;
    return state.changed(word, now);
  }
  vm_state::effects show(presence guest, epoch under) {
    guest_seen seen;
    seen.guest = guest;
    seen.epoch = under;
    seen.asked = now;
    return state.seen(seen, now);
  }
  vm_state::effects show(presence guest) { return show(guest, word.vm.epoch); }
  vm_state::effects succeed(guest_call call) { return state.answered(call, std::nullopt, now); }
};

inline std::optional<guest_call> called(const vm_state::effects& effects) {
  for (const auto& effect : effects)
    if (auto* call = std::get_if<call_hypervisor>(&effect))
      return call->call;
  return std::nullopt;
}

inline std::optional<vm_observation> observed(const vm_state::effects& effects) {
  for (const auto& effect : effects)
    if (auto* report = std::get_if<report_observation>(&effect))
      return report->observation;
  return std::nullopt;
}

inline bool ended(const vm_state::effects& effects) {
  return effects.size() == 1 && std::holds_alternative<end_actor>(effects.front());
}

inline migration_record migration_away(const vm_changed& word, migration_phase phase) {
  migration_record migration;
  migration.id = {{9, 9}};
  migration.vm = word.vm.id;
  migration.from = here;
  migration.to = elsewhere;
  migration.phase = phase;
  return migration;
}

} // namespace novacron::vm_test
