#pragma once

#include "storage/local/inbox.hpp"
#include "storage/log/state_store.hpp"
#include "storage/replication/log_entry.hpp"
#include "storage/replication/replica_word.hpp"
#include "storage/state/cluster_state.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace novacron {

/// Applies committed entries to the state, writes what they changed, and tells
/// those who wait.
///
/// Entries are applied in memory and collected; `write` writes records, changes
/// and mark in one batch, and only then `answer` calls anybody. It needs no sync
/// of its own: the log holds the entries, durably, and applying them again from
/// the stored mark gives the same state. Replica's thread, but where it says
/// otherwise.
class applier {
public:
  applier(database& db, uint64_t keep_changes, inbox& queue);
  ~applier();

  /// Reads the stored state. Fails with `damaged`.
  result<applied_mark> load();

  /// Reads it again: a snapshot took its place.
  void reload();

  /// `proposals` make up the entry at `index`.
  void expect(uint64_t index, std::vector<waiting_proposal> proposals);
  /// The entry at `index` and those after it have this outcome instead.
  void fail_from(uint64_t index, command_errc why, const std::string& detail);

  /// Ends the process if the entry cannot be read or was made by a newer version.
  void apply(uint64_t index, const log_entry& entry);
  void write();
  /// Tells who waits for what is written, and the listener.
  void answer();

  /// Called by `answer` if something changed. Any thread.
  void listen(std::function<void(uint64_t)> listener);

  /// The sums that others have at the same places, since the last call: before the
  /// first command of every `sum_every` indexes, and where a command asks for one.
  std::vector<state_sum> take_sums() { return std::exchange(sums_, {}); }

  /// What is written.
  [[nodiscard]] const applied_mark& mark() const { return mark_; }
  /// Any thread.
  [[nodiscard]] std::vector<lease_record> leases() const;
  /// Any thread.
  [[nodiscard]] std::vector<node_record> nodes() const;

private:
  struct collected;

  /// Brings the mark to the version of the entry that is to be applied.
  void enter(uint32_t version);
  void sum_up(uint64_t index, uint64_t hash);

  /// Proposals of an applied entry, and the outcomes of all its commands.
  struct answered_entry {
    std::vector<waiting_proposal> proposals;
    std::vector<command_outcome> outcomes;
  };

  database& db_;
  state_store store_;
  inbox& queue_;
  const uint64_t keep_changes_;
  uint64_t forgotten_ = 0;
  applied_mark mark_;
  std::map<uint64_t, std::vector<waiting_proposal>> waiting_;
  std::unique_ptr<collected> collected_;
  std::vector<answered_entry> answers_; ///< written, not told
  uint64_t changed_ = 0;                ///< written, not told; 0: nothing
  std::vector<state_sum> sums_;         ///< applied, not taken
  std::mutex listener_mutex_;
  std::function<void(uint64_t)> listener_;
  mutable std::mutex state_mutex_; ///< only `leases` and `nodes` read from other threads
  cluster_state state_;
};

} // namespace novacron
