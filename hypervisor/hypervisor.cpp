#include "hypervisor/hypervisor.hpp"

namespace novacron {

std::string to_string(guest_phase phase) {
  switch (phase) {
  case guest_phase::paused:
    return "paused";
  case guest_phase::running:
    return "running";
  case guest_phase::stopping:
    return "stopping";
  case guest_phase::incoming:
    return "incoming";
  case guest_phase::crashed:
    return "crashed";
  }
  return "guest_phase " + std::to_string(static_cast<int>(phase));
}

} // namespace novacron
