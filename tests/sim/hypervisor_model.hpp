#pragma once

#include "guest_checker.hpp"
#include "hypervisor/hypervisor.hpp"
#include "probes.hpp"
#include "random.hpp"
#include "scheduler.hpp"

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace novacron::sim {

struct hypervisor_faults {
  uint64_t latency_min_ms = 1;
  uint64_t latency_max_ms = 40;
  uint64_t refuse_permille = 0;
  uint64_t lose_answer_permille = 0; ///< it has done it, and the connection breaks
  uint64_t late_permille = 0;        ///< the connection breaks, and then it does it
  uint64_t late_max_ms = 3'000;
  uint64_t die_in_call_permille = 0; ///< the agent dies in the call, before or after its effect
};

/// The agent's process ends in the middle of a call.
struct agent_died {};

/// What runs guests on one machine: QEMU's processes, and the daemon that starts
/// them, which may die, hang, refuse, be late, or do something and lose the
/// answer. Guests outlive the daemon and the agent; only an incoming one that
/// isn't finished ends with the connection that made it.
///
/// Deterministic, no threads: a call takes effect when it is made, or later by
/// the scheduler; how long its answer takes is the caller's to say.
class hypervisor_model final : public hypervisor {
public:
  hypervisor_model(scheduler& time, chance& luck, probes& seen, guest_checker& guests, node_id host,
                   hypervisor_faults faults)
      : time_{time}, luck_{luck}, seen_{seen}, guests_{guests}, host_{host}, faults_{faults} {
    // nop
  }

  struct guest {
    guest_spec spec;
    guest_phase phase = guest_phase::paused;
    guest_body body;
    bool migration_source = false;
    bool performing = false;
    bool abort = false;    ///< of the Perform
    bool complete = false; ///< incoming, and its memory is there
    bool doomed = false;   ///< incoming, shown as paused by a daemon that came back
    bool dying = false;    ///< SIGKILL is on its way
    uint64_t number = 0;   ///< no two bodies on this machine share one
    uint64_t made_at = 0;
  };

  // -- what happens to it --------------------------------------------------------------

  void stop_daemon();
  void start_daemon();
  void hang_until(uint64_t at_ms) { hangs_until_ = at_ms; }
  [[nodiscard]] uint64_t hangs_until() const { return hangs_until_; }
  [[nodiscard]] bool daemon_runs() const { return daemon_; }
  /// The agent is gone: what was made over its connection, and isn't finished, ends.
  void connection_lost();
  void power_loss();
  /// A guest's process ends: by itself, in order or not.
  void guest_ends(vm_id vm, bool in_order);
  void guest_crashes(vm_id vm);
  /// The fencer kills every `ha` guest, as it has since `since`. Each takes up to
  /// `within_ms`.
  void kill_ha_guests(uint64_t since, uint64_t within_ms);
  void calm() { faults_ = {}; }
  [[nodiscard]] const std::map<vm_id, guest>& guests() const { return guests_here_; }

  // -- a Perform's two ends, moved by whoever carries the pages --------------------------

  guest* find(vm_id vm);
  /// The memory is there.
  void loaded(vm_id vm, const guest_body& with);
  /// Ends the Perform: well, and the guest stays paused; or not, and it goes on.
  void performed(vm_id vm, bool well);
  /// For whoever waits for a Perform: the next call of it finds that it has ended.
  void leave_answer(vm_id vm, result<std::string> how) {
    answers_.insert_or_assign(vm, std::move(how));
  }

  // -- hypervisor ----------------------------------------------------------------------

  std::string description() override { return "simulated in virtual time"; }
  std::string accelerator() override { return "simulated"; }
  result<host_capacity> capacity() override { return host_capacity{64, 1'000}; }
  std::string live_migration_problem() override { return {}; }
  result<std::vector<guest_status>> list() override;
  void subscribe(std::function<void(const guest_event&)> listener) override {
    listener_ = std::move(listener);
  }
  result<void> create(const guest_spec& spec) override;
  result<void> resume(vm_id vm) override;
  result<void> pause(vm_id vm) override;
  result<void> shutdown(vm_id vm) override;
  result<void> destroy(vm_id vm) override;
  result<guest_statistics> statistics(vm_id) override { return guest_statistics{}; }
  result<void> adopt(vm_id vm, novacron::epoch epoch) override;
  result<migration_offer> migration_begin(vm_id vm) override;
  result<std::string> migration_prepare(const prepare_request& request) override;
  result<std::string> migration_perform(vm_id vm, const perform_request& request) override;
  result<std::string> migration_finish(vm_id vm, const std::string& cookie,
                                       bool cancelled) override;
  result<void> migration_confirm(vm_id vm, const std::string& cookie) override;
  result<void> migration_abort(vm_id vm) override;
  result<migration_job> migration_statistics(vm_id) override { return migration_job{}; }
  result<void> set_max_downtime(vm_id, std::chrono::milliseconds) override { return {}; }

private:
  using effect = std::function<result<void>()>;
  /// A call that changes something, with all that may go wrong. A guest that is
  /// there has a lock, at which calls queue: a late one comes before the next one.
  /// Only one that makes a guest may come at any time.
  result<void> change(const char* call, vm_id vm, effect act, bool makes_it = false);
  void act_on_what_is_late(vm_id vm);
  result<guest*> wanted(const char* call, vm_id vm);
  void set_phase(guest& x, guest_phase phase);
  void remove(vm_id vm);
  void tell(vm_id vm, bool powered_off = false);
  void remove_later(vm_id vm, uint64_t number, uint64_t delay_ms);

  scheduler& time_;
  chance& luck_;
  probes& seen_;
  guest_checker& guests_;
  const node_id host_;
  hypervisor_faults faults_;
  bool daemon_ = true;
  uint64_t daemon_life_ = 0;
  uint64_t connection_ = 0; ///< rises when the agent's ends
  uint64_t hangs_until_ = 0;
  std::map<vm_id, guest> guests_here_;
  std::map<vm_id, result<std::string>> answers_;     ///< of Performs that have ended
  std::map<vm_id, std::map<uint64_t, effect>> late_; ///< calls that wait at a guest's lock
  uint64_t numbers_ = 0;
  std::function<void(const guest_event&)> listener_;
};

} // namespace novacron::sim
