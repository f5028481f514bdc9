#include "any_host.hpp"

namespace novacron::sim {

any_host::any_host(fleet& with, uint64_t number)
    : box{with.all.time,       with.all.luck,          with.all.seen,
          with.guests,         fleet::node_of(number), with.settings.hypervisor,
          with.settings.fencer},
      with_{with}, number_{number} {
  box.start_fencer();
}

void any_host::power_loss() {
  with_.all.check.trace(23 + number_ * 31 + with_.all.time.now());
  if (!box.driver->guests().empty())
    with_.all.seen.hit(probe::power_lost_under_guests);
  go_dark();
  box.power_loss();
}

void any_host::restart_agent_within(uint64_t most_ms) {
  with_.all.time.after(1 + with_.all.luck.below(most_ms), [this] { start(); });
}

std::string any_host::describe() const {
  auto text = "host " + std::to_string(number_)
              + (!box.powered() ? " is dark"
                 : !up()        ? " has no agent"
                 : frozen()     ? " is frozen"
                                : " is up");
  for (const auto& [vm, x] : box.driver->guests())
    text += ", vm " + std::to_string(vm.value.low) + " " + to_string(x.phase) + " under "
            + to_string(x.spec.epoch);
  return text;
}

} // namespace novacron::sim
