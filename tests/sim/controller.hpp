#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/feed/feed_state.hpp"
#include "actors/frontend/forwarding.hpp"
#include "actors/peer/controller_choice.hpp"
#include "actors/recovery/recovery_state.hpp"
#include "actors/replica/lease_watch.hpp"
#include "actors/scheduler/scheduler_state.hpp"
#include "feed_source.hpp"
#include "fleet.hpp"
#include "frontend_watch.hpp"
#include "storage/local/log_clock.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace novacron::sim {

/// What a process without a replica hears from a controller that it asked.
struct proposal_answer {
  outcomes each;
  bool nothing_done = false; ///< it surely did nothing
};

/// The rest of a controller's process, beside its replica: the states of its
/// frontend, scheduler, recovery and feed, the watch over leases, all real. It is
/// born and dies with the replica's process.
class controller final : public replica_owner {
public:
  controller(fleet& with, replica_node& replica)
      : clock{with.all.time}, with_{with}, replica_{replica}, source_{with.settings.keep_changes} {
    // nop
  }

  node_clock clock;

  [[nodiscard]] uint64_t number() const { return replica_.number(); }
  [[nodiscard]] bool up() const { return parts_ != nullptr; }
  /// Who leads, as far as is known here; 0: nobody.
  [[nodiscard]] uint64_t leader_number() const;
  /// What it says of another controller, as the leader. Nothing: it isn't the leader.
  [[nodiscard]] std::optional<controller_grade> grade_of(uint64_t other) const;

  // What others ask, once their question has arrived. Answers come later, or never.
  void propose(const proposal& what, bool forwarded, std::function<void(const outcomes&)> answer);
  void list(const list_request& what, std::function<void(std::optional<feed_listing>)> answer);
  void pull(const pull_request& what, uint64_t reader,
            std::function<void(std::optional<feed_changes>)> answer);
  /// How far a reader must be who wants to see all that was acknowledged.
  void read_index(std::function<void(std::optional<uint64_t>)> answer);

  void started() override;
  void ended() override;
  void applied(uint64_t index, const command_batch& batch, const applied_batch& done) override;
  void restored(uint64_t index) override;

private:
  using time_point = std::chrono::steady_clock::time_point;

  /// What dies with the process.
  struct parts {
    explicit parts(fleet& with);

    forwarding way;
    frontend_state frontend;
    frontend_watch watch;
    scheduler_state scheduler;
    recovery_state recovery;
    feed_state feed;
    feed_follower follower; ///< the scheduler's and recovery's
    lease_watch leases;
    log_clock stamps;
    uint64_t leases_term = 0;
    leadership leader;
    uint64_t last_ticket = 0;
    std::map<proposal_ticket, std::function<void(const outcomes&)>> proposals;
    std::multiset<proposal_ticket> forwarded; ///< not answered yet by who was asked
    std::map<pull_ticket, std::function<void(std::optional<feed_changes>)>> pulls;
    std::optional<time_point> wakes;
    std::map<uint64_t, std::vector<command_outcome>> outcomes_of; ///< of what is proposed here
    uint64_t told = 0;                                            ///< revision, to the feed
    struct late_read {
      uint64_t revision = 0;
      time_point until;
      list_request request;
      std::function<void(std::optional<feed_listing>)> answer;
    };
    std::vector<late_read> late_reads;
  };

  /// In a turn of its own, while this process lives.
  void later(uint64_t delay_ms, std::function<void()> call);
  void tick();
  void slow_tick();
  void follow_leader();
  void watch_leases();
  void place_lost_vms();
  void follow();
  void carry_out(const forwarding::effects& effects);
  void carry_out(const frontend_state::effects& effects);
  void carry_out(const feed_state::effects& effects);
  void ask(const ask_scheduler& what);
  void propose(const propose_batch& what);
  void forward(const forward_proposal& what);
  void arrange_wake();
  void serve_late_reads();

  fleet& with_;
  replica_node& replica_;
  feed_source source_; ///< on the disk, like the state that it belongs to
  uint64_t life_ = 0;
  std::unique_ptr<parts> parts_;
};

} // namespace novacron::sim
