#pragma once

#include "hypervisor/errors.hpp"
#include "messages/local.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace novacron {

struct vm_config {
  node_id host;                                    ///< the host that this actor works on
  std::chrono::milliseconds shutdown_grace{5'000}; ///< from the ACPI button to the plug
  std::chrono::milliseconds observe_again{500};    ///< before an observation is repeated
  std::chrono::milliseconds call_again{100};       ///< after a second failure; doubles
  std::chrono::milliseconds call_again_at_most{1'000};
};

/// What a VM's actor can ask of the hypervisor.
enum class guest_call : uint8_t { create, resume, pause, shutdown, destroy };
std::string to_string(guest_call x);

// Effects: what the actor must do. The state itself does nothing.

/// Make this call and bring its result to `vm_state::answered`. At most one is out.
struct call_hypervisor {
  guest_call call = guest_call::create;
};
struct report_observation {
  vm_observation observation;
};
/// What the hypervisor is doing isn't known any more: have it looked at.
struct look_again {};
/// The VM has left this host and nothing of it is here: the actor may go.
struct end_actor {};
using vm_effect = std::variant<call_hypervisor, report_observation, look_again, end_actor>;

/// Drives one VM on one host from its actual to its requested state.
///
/// The problem: the actor may have been restarted a moment ago, the hypervisor
/// may have done something by itself, an answer may be lost, and the same guest
/// may be somewhere else by now. So nothing is remembered that decides: each
/// time, what the log requests and what the hypervisor shows are compared, and
/// the one next step follows. A guest is started only under an epoch that no
/// host has reported on yet; a guest of another epoch than the log's is ended,
/// never used. What fails again and again is tried ever more slowly, for as long as
/// it is wanted. While a migration is undecided or unfinished the guest belongs
/// to the migration's actor.
///
/// Pure: no clock, no I/O, no CAF.
class vm_state {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using effects = std::vector<vm_effect>;

  explicit vm_state(vm_config config = {}) : config_{config} {
    // nop
  }

  /// The log's word has changed, or is repeated.
  effects changed(vm_changed what, time_point now);
  /// What the hypervisor shows. A look that began before our last call ended
  /// tells nothing and is ignored.
  effects seen(const guest_seen& what, time_point now);
  /// The call that was asked for has ended, well or not.
  effects answered(guest_call call, const std::optional<failure>& problem, time_point now);
  /// Time has passed: graces end, observations are repeated.
  effects tick(time_point now);

  [[nodiscard]] const vm_record* record() const { return known_ ? &known_->vm : nullptr; }

private:
  effects reconcile(time_point now);
  effects towards_running(time_point now);
  effects towards_paused(time_point now);
  effects towards_absent(actual_state once_absent, time_point now);
  effects during_migration(time_point now);
  effects guest_vanished(time_point now);
  effects call(guest_call what);
  [[nodiscard]] std::chrono::milliseconds wait_after(unsigned failures_before) const;
  effects failed(std::string reason, time_point now);
  effects observe(actual_state actual, std::string reason, time_point now);

  /// The guest is a migration's actor's, which alone touches it.
  [[nodiscard]] bool in_migrations_hands() const;
  [[nodiscard]] bool mine() const { return known_->vm.host == config_.host; }
  /// The log knows that this epoch's guest has ended.
  [[nodiscard]] bool failed_already() const {
    return known_->vm.actual == actual_state::failed && known_->vm.seen_epoch == known_->vm.epoch;
  }
  [[nodiscard]] bool absent() const { return guest_->guest == guest_seen::presence::absent; }

  vm_config config_;
  std::optional<vm_changed> known_;
  std::optional<guest_seen> guest_; ///< nothing: must be looked at first
  std::optional<guest_call> calling_;
  novacron::epoch called_under_; ///< the log's when we made the call
  time_point last_answer_;
  unsigned failures_ = 0; ///< of calls, in a row
  time_point not_before_; ///< nothing is done about the guest; it waits after failures
  std::optional<time_point> shutdown_asked_;

  struct refusal {
    novacron::epoch epoch;
    std::string reason;
  };
  std::optional<refusal> refused_; ///< a start that the hypervisor refused

  std::optional<vm_observation> observed_;
  time_point observed_at_;
};

} // namespace novacron
