#pragma once

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
  /// A call that began at `floor` was accepted.
  void accepted(const command_outcome& outcome, uint64_t floor);
  /// A linearizable read that began at `floor` showed this VM; null: no such VM.
  void read(vm_id vm, const vm_record* shown, uint64_t revision, uint64_t floor);

private:
  void note(const vm_record& vm, uint64_t index);
  void note(const migration_record& migration);

  checker& check_;
  probes& seen_;
  uint64_t last_ = 0;
  uint64_t answered_ = 0;
  std::set<std::string> keys_; ///< that a command was accepted under
  std::map<vm_id, std::map<uint64_t, vm_record>> vms_;
  std::map<migration_id, vm_id> migrations_;
};

} // namespace novacron::sim
