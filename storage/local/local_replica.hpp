#pragma once

#include "storage/consensus/raft_core.hpp"
#include "storage/local/applier.hpp"
#include "storage/log/disk_thread.hpp"
#include "storage/log/feed_reader.hpp"
#include "storage/replica.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace novacron {

/// The replica of this process. Its thread takes turns: what the disk has
/// stored, what others proposed, what the clock demands; then it writes what
/// became applicable and answers.
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
  [[nodiscard]] std::vector<lease_record> leases() const override;
  result<void> checkpoint(const std::filesystem::path& folder) override;

private:
  // -- what the core asks for --------------------------------------------------------

  void send(uint64_t to, raft_message_body message) override;
  void store_vote(uint64_t term, uint64_t vote) override;
  void append(uint64_t first, std::span<const log_entry> entries) override;
  void truncate(uint64_t from) override;
  std::vector<log_entry> read(uint64_t first, size_t most) override;
  void apply(uint64_t index, const log_entry& entry) override;
  void dropped(uint64_t index) override;
  void leads(bool leader) override;

  // -- the thread --------------------------------------------------------------------

  result<void> begin_log(stored_log& log);
  void run();
  void turn(inbox::work work);
  void submit(std::vector<waiting_proposal> proposals);
  log_entry::bytes to_entry(std::span<const waiting_proposal> proposals) const;
  void ask_barriers(std::vector<barrier_callback> barriers);
  void answer_barriers();
  void compact_log();
  void publish();
  void end();
  uint64_t now() const;

  const replica_config config_;
  const uint64_t id_; ///< of this node in the group
  inbox inbox_;
  std::unique_ptr<database> db_;
  std::unique_ptr<applier> applier_;
  std::unique_ptr<feed_reader> feed_;
  std::unique_ptr<raft_core> core_;
  std::unique_ptr<disk_thread> disk_;

  struct waiting_barrier {
    uint64_t index; ///< to be applied first
    barrier_callback done;
  };
  std::deque<waiting_barrier> barriers_;
  uint64_t term_began_ = 0; ///< index of the first entry of the own term
  uint64_t compacted_ = 0;  ///< entries up to here are deleted
  bool lost_leadership_ = false;

  mutable std::mutex status_mutex_;
  replica_status status_;
  std::thread thread_;
};

} // namespace novacron
