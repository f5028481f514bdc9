#pragma once

#include "api_line.hpp"
#include "checker.hpp"
#include "messages/records.hpp"
#include "probes.hpp"
#include "storage/state/cluster_state.hpp"

#include <map>
#include <set>
#include <string>

namespace novacron::sim {

/// What the log did, seen once, from whoever applies an index first; and whether
/// what clients are told fits it.
///
/// The order of the log is the order of every VM's history. So the history is
/// linearizable if each answer is what the log shows at its revision, and no call
/// that began after another's answer has an earlier revision.
class history {
public:
  history(checker& check, probes& seen) : check_{check}, seen_{seen} {
    // nop
  }

  /// True: nobody has applied this index before.
  bool applies(uint64_t index, const command_batch& batch, const applied_batch& done);

  /// Whose migration this is; nil: nobody knows it.
  [[nodiscard]] vm_id vm_of(migration_id migration) const {
    auto known = migrations_.find(migration);
    return known == migrations_.end() ? vm_id{} : known->second;
  }

  /// The least revision that a call which begins now may be answered with.
  [[nodiscard]] uint64_t floor() const { return answered_; }
  /// A call that began at `floor` had this answer, which is final.
  void answered(const idempotency& asked, const command_outcome& outcome, uint64_t floor);
  /// The log was recovered from what one replica had.
  [[nodiscard]] bool recovered() const { return begun_ != 0; }
  /// The majority's disks are lost, and with them what was applied after `held`. Says of
  /// which VMs a migration's steps are among it.
  std::set<vm_id> log_lost_after(uint64_t held);
  /// The log goes on from `index` with this state: all that was held must be there.
  void recovered_as(uint64_t index, const cluster_state& state);
  /// Of this VM nothing is left in the log.
  [[nodiscard]] bool lost(vm_id vm) const { return lost_.contains(vm); }
  /// The VM as the log shows it at this revision; null: not at all.
  [[nodiscard]] const vm_record* vm_at(vm_id vm, uint64_t revision) const;
  /// A linearizable read that began at `floor` showed this VM; null: no such VM.
  void read(vm_id vm, const vm_record* shown, uint64_t revision, uint64_t floor);

  /// A read from a copy, of `min_revision` or later, showed this.
  void looked(vm_id vm, const vm_view& shown, uint64_t min_revision);

private:
  void note(const vm_record& vm, uint64_t index);
  void note(const migration_record& migration);
  void note(const idempotency& asked, const command_outcome& outcome);
  void accepted(const command_outcome& outcome, uint64_t floor);
  /// What was refused left no trace in its entry's changes.
  void left_no_trace(const command_batch& batch, const applied_batch& done) const;
  /// While hosts are awaited nothing is placed, nor permitted to start.
  void hear_of_hosts(const command_batch& batch, const applied_batch& done);

  checker& check_;
  probes& seen_;
  uint64_t last_ = 0;
  uint64_t answered_ = 0;
  uint64_t begun_ = 0;        ///< where the recovered log begins; 0: there was no recovery
  bool replaying_ = false;    ///< what was in the log when it was recovered
  std::set<node_id> unheard_; ///< hosts, since the recovery
  std::set<vm_id> lost_;
  struct call {
    std::array<std::byte, 32> body{};
    command_outcome outcome;
  };
  std::map<std::string, call> calls_; ///< that were carried out, by principal and key
  std::map<vm_id, std::map<uint64_t, vm_record>> vms_;
  std::map<migration_id, vm_id> migrations_;
  std::map<vm_id, uint64_t> last_moves_; ///< indexes of what migrations did last
  std::map<vm_id, epoch> newest_;        ///< permissions, of all timelines
};

} // namespace novacron::sim
