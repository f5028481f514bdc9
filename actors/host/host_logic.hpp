#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/host/host_effects.hpp"
#include "actors/host/host_lease.hpp"
#include "actors/host/host_table.hpp"
#include "actors/host/report_batch.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace novacron {

struct host_settings {
  host_record self; ///< as it is registered
  std::chrono::milliseconds lease_term{10'000};
  std::chrono::milliseconds renew_every{2'000};
  std::chrono::milliseconds look_every{1'000};       ///< at the hypervisor, if nothing happens
  std::chrono::milliseconds inventory_every{100};    ///< the same, while it keeps guests waiting
  std::chrono::milliseconds guard_every{1'000};      ///< the fencer is given its deadline again
  std::chrono::milliseconds early_patience{5'000};   ///< for a reservation that the feed owes
  std::chrono::milliseconds start_again_after{100};  ///< an actor that couldn't be started
  std::chrono::milliseconds register_again{1'000};   ///< after the log has refused to
  std::chrono::milliseconds say_again_after{30'000}; ///< what the log didn't keep of it
  size_t most_early_requests = 64;
};

/// Now, on the two clocks that a host lives by.
struct host_moment {
  std::chrono::steady_clock::time_point now;
  std::chrono::nanoseconds boot{0}; ///< CLOCK_BOOTTIME: what leases count on
};

/// One host, but for what its VMs' and migrations' own states decide.
///
/// The problem: it may have been restarted a moment ago, beside guests that run
/// and actors that live; it hears of the log late, of the hypervisor in looks and
/// events that may be lost, and may be cut off from everything while its lease
/// ends. So it registers, renews and reports until it is answered, looks again
/// and again, and lets guests start only while its lease is held, from a state
/// that is no older than the first grant since it began, or since the lease was
/// last over, and once nothing is here that belongs elsewhere or to an older epoch.
/// The log tells a host only of VMs that concern it: about others whose guests it
/// finds it asks. After a recovery the log waits to hear that this is so: it may lack what
/// guests were started by. It also gives the fencer its deadline again and again, renewed or
/// not, and looks after it before it has one to give: whoever does starts a fencer
/// that has died, and nobody else would when the host is cut off.
///
/// Pure: no clock, no I/O, no CAF.
class host_logic {
public:
  explicit host_logic(host_settings settings);
  host_logic(const host_logic&) = delete;
  host_logic& operator=(const host_logic&) = delete;

  /// Keeps this host's part of the log. The owner asks its questions, brings it
  /// the answers, and says `log_changed` after each.
  feed_follower& follower() { return follower_; }
  host_effects log_changed(host_moment now);

  host_effects tick(host_moment now);
  host_effects registered(const std::optional<command_outcome>& outcome);
  host_effects renewed(uint64_t attempt, const std::optional<command_outcome>& outcome,
                       host_moment now);
  host_effects inventory_confirmed(const std::optional<command_outcome>& outcome);
  host_effects guarded(std::chrono::nanoseconds deadline, const std::optional<failure>& problem);
  host_effects fencer_kept(const std::optional<failure>& problem);
  host_effects reported(const std::optional<command_outcome>& outcome);
  /// A look that began at `asked` has ended.
  host_effects looked(const result<std::vector<guest_status>>& guests,
                      std::chrono::steady_clock::time_point asked, host_moment now);
  /// What the log has of the VM; null: it couldn't be asked.
  host_effects told_about(vm_id vm, const std::optional<feed_listing>& listing);
  /// The hypervisor says that something is otherwise than at the last look.
  void look_soon() { look_soon_ = true; }
  /// The hypervisor says that the VM's guest switches itself off.
  void powers_off(vm_id vm) { table_.powers_off(vm); }

  // An actor was found or started; it has ended; it couldn't be started.
  host_effects present(vm_id vm, host_moment now);
  host_effects present(migration_id migration, host_moment now);
  host_effects absent(vm_id vm, host_moment now);
  host_effects absent(migration_id migration);
  void not_started(vm_id vm, host_moment now);
  void not_started(migration_id migration, host_moment now);

  /// What an actor must know that has started by itself: an answer, not an
  /// effect. Nothing: this host doesn't know it.
  std::optional<vm_changed> attached(vm_id vm, host_moment now);
  std::optional<migration_changed> attached(migration_id migration);

  void observed(const vm_observation& x) { reports_.add(x); }
  void observed(const migration_observation& x) { reports_.add(x); }

  /// Another host's source asks for an incoming guest; its reservation may not
  /// have come here yet.
  host_effects asked_to_prepare(uint64_t ticket, const prepare_migration& request, host_moment now);

  [[nodiscard]] const host_table& table() const { return table_; }
  [[nodiscard]] const host_lease& lease() const { return lease_; }
  /// Guests may start now: the lease is held, what we know is no older than it, and
  /// nothing is here that belongs elsewhere or to an older epoch. After a recovery, also
  /// not on any other host: what the log has lost may run there.
  [[nodiscard]] bool starting_allowed(std::chrono::nanoseconds boot) const;

private:
  /// A VM's actor that was asked for.
  struct vm_actor_known {
    bool there = false;
    bool may_start = false; ///< as it was last told
  };
  struct early_request {
    uint64_t ticket = 0;
    prepare_migration request;
    std::chrono::steady_clock::time_point until;
  };

  void register_self(host_moment now, host_effects& out);
  [[nodiscard]] bool log_has_less() const;
  void renew_if_due(host_moment now, host_effects& out);
  void guard(std::chrono::nanoseconds deadline, host_moment now, host_effects& out);
  void guard_again(host_moment now, host_effects& out);
  void pass_on_permission(host_moment now, host_effects& out);
  void report(host_moment now, host_effects& out);
  [[nodiscard]] bool word_is_current(std::chrono::nanoseconds boot) const;
  void look_if_due(host_moment now, host_effects& out);
  void take_inventory(host_moment now, host_effects& out);
  [[nodiscard]] bool awaited() const;
  [[nodiscard]] bool runs_ahead(const guest_status& guest) const;
  void confirm_inventory_if_awaited(host_effects& out);
  void start_again(host_moment now, host_effects& out);
  void serve_early_requests(host_moment now, host_effects& out);
  void tell(vm_id vm, host_moment now, host_effects& out);
  void tell(migration_id migration, host_effects& out);
  void need(vm_id vm, host_effects& out);
  [[nodiscard]] guest_seen sight_of(vm_id vm, std::chrono::steady_clock::time_point asked) const;

  const host_settings settings_;
  host_table table_;
  feed_follower follower_;
  host_lease lease_;
  report_batch reports_;
  std::map<vm_id, vm_actor_known> vms_;
  std::map<migration_id, bool> migrations_;
  std::map<vm_id, guest_status> guests_; ///< at the last look
  std::set<vm_id> strangers_;            ///< guests that no VM of the log accounts for, said once
  std::set<vm_id> asked_about_;          ///< what the log has of these guests' VMs is being read
  /// `lease_.revision()` when nothing was here any more that belongs elsewhere, or
  /// to an older epoch.
  uint64_t reconciled_ = 0;
  uint64_t registered_at_ = 0; ///< log index of the last registration
  bool look_counts_ = false;   ///< the look under way began from a state no older than it
  bool confirming_ = false;    ///< the inventory is being proposed
  std::set<vm_id> ahead_;      ///< guests that run ahead of the log, said once
  // Whose actors couldn't be started, and when they are looked at again.
  std::map<vm_id, std::chrono::steady_clock::time_point> vms_again_;
  std::map<migration_id, std::chrono::steady_clock::time_point> migrations_again_;
  std::vector<early_request> early_;
  bool registered_ = false;
  bool asking_to_register_ = false;
  std::chrono::steady_clock::time_point register_not_before_; ///< after a refusal
  std::chrono::steady_clock::time_point say_again_at_;
  std::optional<std::chrono::nanoseconds> deadline_; ///< as the log granted it last
  bool guarding_ = false;                            ///< the fencer was asked
  std::chrono::nanoseconds guarded_at_{0};           ///< when it last was, or answered
  bool may_start_ = false;                           ///< as we last said in the log
  bool looking_ = false;
  bool look_soon_ = true;
  std::chrono::steady_clock::time_point looked_at_;
};

} // namespace novacron
