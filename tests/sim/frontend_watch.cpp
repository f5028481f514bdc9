#include "frontend_watch.hpp"

#include "storage/local/entry_packing.hpp"

#include <algorithm>

namespace novacron::sim {

namespace {

/// Longer than all that a proposal may wait for, one after the other: a leader, its frontend's
/// patience, a disk that is slow, and a leader that is lost meanwhile.
constexpr uint64_t longest_ms = 40'000;

} // namespace

void frontend_watch::takes(proposal_ticket ticket, const proposal& what) {
  held_[ticket] = what.commands.size();
  commands_ += what.commands.size();
  largest_commands_ = std::max(largest_commands_, what.commands.size());
  largest_bytes_ = std::max(largest_bytes_, approximate_size(what.commands));
}

void frontend_watch::gives(proposal_ticket ticket) {
  if (auto held = held_.extract(ticket))
    commands_ -= held.mapped();
}

void frontend_watch::proposes(const proposal& entry) {
  // It is full when it has so much; the last proposal may go beyond.
  if (entry.commands.size() >= how_.batch_commands + std::max<size_t>(largest_commands_, 1)
      || approximate_size(entry.commands) >= how_.batch_bytes + largest_bytes_)
    throw check_.broken("a frontend proposes an entry of " + std::to_string(entry.commands.size())
                        + " commands and " + std::to_string(approximate_size(entry.commands))
                        + " bytes");
}

void frontend_watch::look() const {
  if (commands_ > how_.most_commands + how_.most_host_commands)
    throw check_.broken("a frontend holds " + std::to_string(commands_)
                        + " commands, more than it may");
  for (const auto& [ticket, since] : asked_)
    if (time_.now() - since > longest_ms)
      throw check_.broken("a controller was asked " + std::to_string(time_.now() - since)
                          + " ms ago, and has not answered");
}

} // namespace novacron::sim
