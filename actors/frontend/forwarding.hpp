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
  uint64_t attempt = 0; ///< what is said of an earlier attempt counts no more
  node_id to;
  std::shared_ptr<const proposal> what;
};
using forwarding_effect = std::variant<submit_here, forward_proposal, answer_proposal>;

/// Brings each proposal to whoever leads.
///
/// The problem: only the leader's log takes proposals, any node is asked, and who
/// leads changes while proposals are on their way. One that certainly did
/// nothing is tried again, here or elsewhere, as long as the caller is patient.
/// One of which nobody knows is, if all of its commands have keys, since the log
/// does each key once; of another one the outcome is unknown. And a leader may
/// fall silent though it lives: its answers are given up as soon as a later leader
/// is known. What another controller forwarded is proposed here or not at all, so
/// nothing goes round in circles.
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
  /// It was proposed here.
  effects answered(proposal_ticket ticket, const outcomes& answer, time_point now);
  effects answered(const forward_proposal& sent, const outcomes& answer, time_point now);
  /// It did not leave this node, or was turned away at the door.
  effects not_sent(const forward_proposal& sent, time_point now);
  /// Nobody knows what became of it.
  effects lost(const forward_proposal& sent, time_point now);
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
    uint64_t attempt = 0;   ///< the latest, of those that were sent elsewhere
    node_id asked;          ///< whose answer is awaited; nil: nobody's, or ours
    uint64_t term = 0;      ///< in which it was asked
    bool doubtful = false;  ///< an earlier attempt may have done it, or will
  };

  effects wait_again(proposal_ticket ticket, time_point now);
  [[nodiscard]] bool awaits(const forward_proposal& sent) const;
  void leave_former_leader(effects& out);
  void dispatch(time_point now, effects& out);
  void end(proposal_ticket ticket, outcomes answer, effects& out);

  forwarding_config config_;
  leadership leader_;
  size_t commands_ = 0; ///< in `jobs_`
  std::map<proposal_ticket, open_proposal> jobs_;
  std::set<proposal_ticket> waiting_;
};

/// May it be proposed again when nobody knows what became of it? Yes if every
/// command has a key, under which the log does it once.
bool may_be_repeated(const proposal& what);

/// An answer to a proposal that was repeated: "nothing was done" is true of the
/// last attempt only, so it becomes `unknown_outcome`.
outcomes of_several_attempts(outcomes answer);

} // namespace novacron
