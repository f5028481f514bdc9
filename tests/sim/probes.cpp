#include "probes.hpp"

namespace novacron::sim {

std::string_view name_of(probe what) {
  constexpr std::array<std::string_view, probes::total> names{
      "leader elected",
      "leader stepped down",
      "pre-vote denied",
      "vote denied",
      "stale-term message",
      "uncommitted entries truncated",
      "message lost",
      "message duplicated",
      "one-way partition",
      "crash lost unsynced writes",
      "crash while a snapshot was being installed",
      "crash of the leader",
      "disk full",
      "disk slow",
      "snapshot offered",
      "snapshot installed",
      "chunk of a snapshot lost and fetched again",
      "fetch of a snapshot given up",
      "standby added",
      "standby promoted",
      "voter demoted",
      "member removed",
      "leader hands over before it leaves",
      "membership change during a partition",
      "membership change refused for the majority's sake",
      "membership change with unknown outcome",
      "membership change asked before the term's first commit",
      "lead handed over",
      "proposal with unknown outcome",
      "proposal refused by a follower",
      "G1 dropped or clamped",
      "G2 told the term",
      "G3 dropped a stale rejection",
      "G4 rebased",
      "G5 split",
      "G8 forgot a silent leader",
      "G11 asked a standby for its vote",
      "G13 dropped a late vote",
  };
  return names[static_cast<size_t>(what)];
}

} // namespace novacron::sim
