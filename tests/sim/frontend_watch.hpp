#pragma once

#include "actors/frontend/frontend_state.hpp"
#include "checker.hpp"
#include "scheduler.hpp"

#include <map>

namespace novacron::sim {

/// Watches a controller's frontend from outside: it holds no more commands than it may, fills
/// no entry beyond its size, and whatever a controller is asked ends.
class frontend_watch {
public:
  frontend_watch(const frontend_config& how, const scheduler& time, checker& check)
      : how_{how}, time_{time}, check_{check} {
    // nop
  }

  /// The controller was asked, and has answered.
  void asked(proposal_ticket ticket) { asked_.emplace(ticket, time_.now()); }
  void answered(proposal_ticket ticket) { asked_.erase(ticket); }
  /// The frontend was given a proposal, and gave its answer.
  void takes(proposal_ticket ticket, const proposal& what);
  void gives(proposal_ticket ticket);
  void proposes(const proposal& entry);
  /// To be called now and then, with nothing under way.
  void look() const;

private:
  const frontend_config how_;
  const scheduler& time_;
  checker& check_;
  std::map<proposal_ticket, uint64_t> asked_; ///< since when
  std::map<proposal_ticket, size_t> held_;    ///< commands
  size_t commands_ = 0;                       ///< in `held_`
  size_t largest_commands_ = 0;               ///< of one proposal
  size_t largest_bytes_ = 0;
};

} // namespace novacron::sim
