#pragma once

#include "messages/commands.hpp"
#include "messages/result.hpp"
#include "storage/replication/wire.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

namespace novacron {

/// Commands that wait for their turn, or for their entry to be applied.
struct waiting_proposal {
  std::vector<command> commands;
  std::function<void(std::vector<command_outcome>)> done;
  size_t size_bytes = 0; ///< counted against the inbox's bound until `done` was called
};

using barrier_callback = std::function<void(result<uint64_t>)>;

/// An outcome for each of `count` commands that never reached the log or whose
/// entry's fate is unknown.
std::vector<command_outcome> all_refused(size_t count, command_errc why, const std::string& detail);

/// What others hand to a replica's thread. Bounded in bytes: what would exceed
/// the bound is refused, and never waits.
class inbox {
public:
  using clock = std::chrono::steady_clock;

  /// Everything that came since the last time.
  struct received {
    node_id from;
    raft_envelope message;
  };

  struct work {
    std::vector<waiting_proposal> proposals;
    std::vector<waiting_proposal> refused; ///< without commands; their outcomes say why
    std::vector<barrier_callback> barriers;
    std::vector<received> messages;
    std::vector<std::function<void(bool stopping)>> calls;
    std::optional<std::pair<uint64_t, uint64_t>> stored; ///< latest index and its term
    bool stop = false;
  };

  explicit inbox(size_t most_bytes) : most_bytes_{most_bytes} {
    // nop
  }

  void propose(waiting_proposal proposal);
  void barrier(barrier_callback done);
  /// Dropped if too many wait: the sender repeats itself.
  void receive(received message, size_t size_bytes);
  /// To be called on the replica's thread; while it stops, with true.
  void post(std::function<void(bool stopping)> call);
  void stored(uint64_t index, uint64_t term);
  void stop();

  /// Waits until there is work, or `deadline`. Takes proposals of about
  /// `most_bytes`, the rest next time.
  work take(clock::time_point deadline, size_t most_bytes);

  /// Proposals of this size have got their outcomes.
  void release(size_t bytes);

private:
  const size_t most_bytes_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<waiting_proposal> proposals_;
  work other_;
  size_t bytes_ = 0;
  size_t message_bytes_ = 0;
};

} // namespace novacron
