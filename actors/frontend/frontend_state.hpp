#pragma once

#include "messages/commands.hpp"
#include "messages/local.hpp"
#include "messages/peer.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace novacron {

struct frontend_config {
  size_t batch_commands = 256;             ///< a batch is sent when it has this many,
  size_t batch_bytes = 32u << 10;          ///< or about this size,
  std::chrono::milliseconds batch_wait{2}; ///< or waited this long; at once when none is in flight
  size_t most_batches = 4;                 ///< in flight
  size_t most_commands = 8'192;            ///< of clients, waiting or in flight; more are refused
  size_t most_host_commands = 8'192;       ///< of hosts
  std::chrono::milliseconds patience{
      5'000};                  ///< a command that waited longer is refused, not proposed
  size_t most_placements = 64; ///< questions that the scheduler has at a time
  unsigned most_plans = 3;     ///< how often a host is chosen for one command
};

using proposal_ticket = uint64_t;

// Effects: what the frontend must do, in order.

/// Ask the scheduler; then say `placed`, or `not_placed`.
struct ask_scheduler {
  uint64_t question = 0;
  place_request request;
};
/// Propose as one entry; then say `applied`, or `not_answered`.
struct propose_batch {
  uint64_t batch = 0;
  proposal commands;
};
struct answer_proposal {
  proposal_ticket ticket = 0;
  outcomes answer;
};
using frontend_effect = std::variant<ask_scheduler, propose_batch, answer_proposal>;

/// Turns many small proposals into few full entries of the log.
///
/// The problem: an entry costs a disk write, whatever is in it; a create has to
/// be placed before it is proposed, and the placement may turn out to be taken
/// when it is applied; hosts' renewals must not wait behind a flood of clients'
/// calls; and when more comes than the log takes, those who are refused must
/// hear of it while they still listen.
///
/// Pure. A command is placed, waits, is in flight, and has its outcome; the
/// proposal that it came with is answered when all of its commands have one.
class frontend_state {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using effects = std::vector<frontend_effect>;

  explicit frontend_state(frontend_config config = {}) : config_{config} {
    // nop
  }

  effects submitted(proposal_ticket ticket, const proposal& what, time_point now);
  effects placed(uint64_t question, const place_answer& answer, time_point now);
  /// The scheduler didn't answer.
  effects not_placed(uint64_t question, time_point now);
  effects applied(uint64_t batch, const outcomes& answer, time_point now);
  /// The replica didn't answer: nobody knows what became of the batch.
  effects not_answered(uint64_t batch, time_point now);
  effects tick(time_point now);
  /// When `tick` is needed next; nothing while nothing waits.
  [[nodiscard]] std::optional<time_point> wake() const;

private:
  struct placed_command {
    command what;
    std::optional<command_outcome> outcome;
    bool ours = false; ///< we choose its host
    unsigned plans = 0;
    node_id tried;       ///< chosen, and refused
    std::string no_room; ///< none fits; proposed all the same, for what apply knows better
  };
  struct open_proposal {
    std::vector<placed_command> items;
    time_point arrived;
    bool from_host = false;
    size_t unplaced = 0; ///< items that wait for the scheduler
  };
  struct item_name {
    proposal_ticket ticket = 0;
    size_t index = 0;
  };
  struct waiting_job {
    proposal_ticket ticket = 0;
    time_point since;
  };

  [[nodiscard]] bool has_room(const proposal& what, bool from_host) const;
  void refuse_waiting(time_point now, effects& out);
  [[nodiscard]] bool is_late(const open_proposal& job, time_point now) const;
  void ask(time_point now, effects& out);
  void flush(time_point now, effects& out);
  [[nodiscard]] bool batch_is_due(time_point now) const;
  void send_batch(effects& out);
  void has_its_place(const item_name& name, time_point now, effects& out);
  void take_outcome(const item_name& name, const command_outcome& outcome, time_point now);
  void settle(proposal_ticket ticket, time_point now, effects& out);
  void refuse(proposal_ticket ticket, effects& out);
  effects advance(time_point now, effects out);

  frontend_config config_;
  std::map<proposal_ticket, open_proposal> jobs_;
  size_t client_commands_ = 0; ///< in `jobs_`
  size_t host_commands_ = 0;
  std::deque<item_name> to_place_;
  std::map<uint64_t, item_name> questions_;
  std::deque<waiting_job> host_queue_;
  std::deque<waiting_job> client_queue_;
  size_t queued_commands_ = 0; ///< of both queues
  size_t queued_bytes_ = 0;
  std::map<uint64_t, std::vector<item_name>> batches_;
  uint64_t last_number_ = 0; ///< of questions and batches
};

} // namespace novacron
