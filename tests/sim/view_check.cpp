#include "view_check.hpp"

namespace novacron::sim {

std::string wrong_in_view(const view_table& view, const cluster_state& state) {
  size_t there = 0;
  for (const auto& each : state.records())
    if (auto vm = std::get_if<vm_record>(&each)) {
      there += vm->actual != actual_state::gone ? 1 : 0;
      const auto shown = view.vm(vm->id);
      if (!shown || shown->revision != vm->revision)
        return "doesn't show the last change of vm " + std::to_string(vm->id.value.low);
    }
  vm_query all;
  all.page.limit = 2 * there + 1;
  if (const auto shown = view.vms(all).items.size(); shown != there)
    return "shows " + std::to_string(shown) + " VMs, not " + std::to_string(there);
  return {};
}

} // namespace novacron::sim
