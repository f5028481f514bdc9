#pragma once

#include "actors/frontend/frontend_state.hpp"

#include <map>
#include <memory>
#include <set>

namespace novacron {

struct forwarding_config {
  size_t most_commands = 16'384; ///< waiting or on their way; more are refused
  /// How long a proposal waits for a leader. Shorter than those who ask are patient.
  std::chrono::milliseconds patience{2'500};
  std::chrono::milliseconds retry{25}; ///< after an answer that nothing was done
};

/// Propose it here; then say `answered`.
struct submit_here {
  proposal_ticket ticket = 0;
  std::shared_ptr<const proposal> what;
};
/// Send it to the frontend of this node; then say `answered`, `not_sent` or `lost`.
struct forward_proposal {
  proposal_ticket ticket = 0;
  node_id to;
  std::shared_ptr<const proposal> what;
};
using forwarding_effect = std::variant<submit_here, forward_proposal, answer_proposal>;

/// Brings each proposal to whoever leads.
///
/// The problem: only the leader's log takes proposals, any node is asked, and who
/// leads changes while proposals are on their way. One that certainly did
/// nothing is tried again, here or elsewhere, as long as the caller is patient.
/// One of which nobody knows is never repeated here: the caller, who has the
/// Idempotency-Key, must. What another controller forwarded is proposed here or
/// not at all, so nothing goes round in circles.
///
/// Pure.
class forwarding {
public:
  using time_point = frontend_state::time_point;
  using effects = std::vector<forwarding_effect>;

  explicit forwarding(forwarding_config config = {}) : config_{config} {
    // nop
  }

  effects submitted(proposal_ticket ticket, proposal what, bool forwarded, time_point now);
  effects led_by(const leadership& who, time_point now);
  effects answered(proposal_ticket ticket, const outcomes& answer, time_point now);
  /// It did not leave this node, or was turned away at the door.
  effects not_sent(proposal_ticket ticket, time_point now);
  /// Nobody knows what became of it.
  effects lost(proposal_ticket ticket);
  effects tick(time_point now);
  /// When `tick` is needed next; nothing while nothing waits.
  [[nodiscard]] std::optional<time_point> wake() const;
  /// The frontend ends: all that is open gets an answer.
  effects abandon();

  [[nodiscard]] const leadership& leader() const { return leader_; }

private:
  struct open_proposal {
    std::shared_ptr<const proposal> what;
    time_point arrived;
    time_point not_before;
    bool forwarded = false; ///< by another controller
  };

  effects wait_again(proposal_ticket ticket, time_point now);
  void dispatch(time_point now, effects& out);
  void end(proposal_ticket ticket, outcomes answer, effects& out);

  forwarding_config config_;
  leadership leader_;
  size_t commands_ = 0; ///< in `jobs_`
  std::map<proposal_ticket, open_proposal> jobs_;
  std::set<proposal_ticket> waiting_;
};

} // namespace novacron
