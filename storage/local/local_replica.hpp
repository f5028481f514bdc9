#pragma once

#include "storage/consensus/membership_changes.hpp"
#include "storage/consensus/raft_core.hpp"
#include "storage/local/applier.hpp"
#include "storage/local/barriers.hpp"
#include "storage/local/log_clock.hpp"
#include "storage/local/peers.hpp"
#include "storage/local/snapshot_fetch.hpp"
#include "storage/local/state_sums.hpp"
#include "storage/log/disk_thread.hpp"
#include "storage/log/feed_reader.hpp"
#include "storage/log/snapshot_exports.hpp"
#include "storage/replica.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

namespace novacron {

/// What to do about a replica whose state is not the others'.
inline constexpr std::string_view replace_remedy
    = "it serves nothing any more; let a new node join and take its place: novacron node replace "
      "THIS NEW; in a group of one, go back to a backup";

/// The replica of this process. Its thread takes turns: what the disk has
/// stored, what peers said, what others proposed, what the clock demands; then
/// it writes what became applicable and answers.
class local_replica final : public replica,
                            public raft_transport,
                            public raft_persistence,
                            public raft_state_machine {
public:
  explicit local_replica(const replica_config& config);
  ~local_replica() override;

  /// Once, before anything else.
  result<void> open();

  void propose(std::vector<command> commands,
               std::function<void(std::vector<command_outcome>)> done) override;
  void read_barrier(std::function<void(result<uint64_t>)> done) override;
  void on_applied(std::function<void(uint64_t revision)> listener) override;
  result<feed_listing> list(const list_request& request) override;
  result<feed_changes> changes_after(const pull_request& request) override;
  [[nodiscard]] replica_status status() const override;
  void receive(node_id from, std::span<const std::byte> message) override;
  result<snapshot_chunk> read_snapshot(const snapshot_chunk_request& request) override;
  void change_member(const member_change& wish, std::function<void(result<void>)> done) override;
  void hand_over(node_id to) override;
  [[nodiscard]] std::vector<lease_record> leases() const override;
  [[nodiscard]] std::vector<node_record> nodes() const override;
  result<backup_info> back_up(const std::filesystem::path& folder, uint32_t keep,
                              const std::stop_token& stop) override;

private:
  // -- what the core asks for (local_replica_core.cpp) --------------------------------

  void send(uint64_t to, raft_message_body message) override;
  void store_vote(uint64_t term, uint64_t vote) override;
  void append(uint64_t first, std::span<const log_entry> entries) override;
  void truncate(uint64_t from) override;
  void install(const raft_snapshot& snapshot) override;
  std::vector<log_entry> read(uint64_t first, size_t most) override;
  void apply(uint64_t index, const log_entry& entry) override;
  void dropped(uint64_t index) override;
  void leads(bool leader) override;
  std::optional<offered_snapshot> snapshot() override;
  void fetch(uint64_t from, const raft_snapshot& snapshot) override;
  void restore(const raft_snapshot& snapshot) override;

  // -- opening -----------------------------------------------------------------------

  own_identity identify(const stored_log& log);
  void begin_log(stored_log& log);
  result<void> check_versions(const stored_log& log) const;

  // -- the thread (local_replica_thread.cpp) ------------------------------------------

  void run();
  void turn(inbox::work work);
  void take_in(const inbox::received& one);
  void adopt_timeline(const raft_envelope& message);
  void submit(std::vector<waiting_proposal> proposals);
  log_entry::bytes to_entry(std::span<const waiting_proposal> proposals);
  void change(const member_change& wish, const std::function<void(result<void>)>& done);
  void follow_members();
  void name_disks();
  void compact_log();
  void publish();
  void end();

  // -- what members say of themselves (local_replica_words.cpp) ------------------------

  void listen_to(uint64_t member, const replica_word& word);
  void speak();
  void send_word(const replica_word& word);
  void compare();
  /// What batches are stamped with: the newest version that all members know, as far as
  /// they have said; at least the state's own.
  [[nodiscard]] uint32_t common_version() const;
  /// Lets the log say that the version has risen, whoever proposes something or not.
  void raise_version();
  [[nodiscard]] uint32_t own_version() const; ///< the newest that this replica goes along with
  [[nodiscard]] bool too_new(const waiting_proposal& what) const;
  [[nodiscard]] std::string not_upgraded() const; ///< the members that are behind, as a sentence

  [[nodiscard]] std::string hint() const; ///< who leads, as a sentence
  [[nodiscard]] bool retired() const { return !refused_.empty(); }
  static uint64_t now();

  const replica_config config_;
  own_identity identity_;
  std::shared_ptr<inbox> inbox_;
  std::unique_ptr<database> db_;
  std::unique_ptr<applier> applier_;
  std::unique_ptr<feed_reader> feed_;
  std::unique_ptr<snapshot_exports> exports_;
  std::unique_ptr<snapshot_fetch> fetch_;
  std::unique_ptr<peers> peers_;
  std::unique_ptr<raft_core> core_;
  std::unique_ptr<membership_changes> changes_;
  std::unique_ptr<read_barriers> barriers_;
  log_clock stamps_;
  std::unique_ptr<disk_thread> disk_;

  membership members_;
  uint64_t members_index_ = 0;
  uint64_t compacted_ = 0; ///< entries up to here are deleted
  bool lost_leadership_ = false;
  std::string refused_; ///< this disk takes no part any more, and why

  state_sums sums_;
  bool compare_ = false;     ///< something was said or taken since the last comparison
  uint64_t speak_at_ = 0;    ///< at the latest, by `now`
  uint64_t raised_term_ = 0; ///< in which this leader let the log say so

  mutable std::mutex status_mutex_;
  replica_status status_;
  std::thread thread_;
};

} // namespace novacron
