#pragma once

#include "lab.hpp"
#include "ledger.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace novacron::chaos {

/// How a write ended that was sent to a controller without a majority.
enum class cut_off_end : uint8_t {
  answered, ///< for good: it must have been committed
  open,     ///< no answer, or one that leaves the outcome open: the controller took it
  refused,  ///< nobody leads: it was not taken
};
cut_off_end end_of(const result<client_reply>& reply);

/// What became of the writes that were sent to a controller since it was cut off. Pure.
class cut_off_tally {
public:
  using duration = std::chrono::milliseconds;

  /// `sent`: since the cut.
  void add(duration sent, cut_off_end how);
  /// How long it took writes: none that was sent later was taken. None: it never refused one.
  [[nodiscard]] std::optional<duration> stopped() const;
  [[nodiscard]] uint64_t answered() const { return answered_; }
  [[nodiscard]] std::string text() const;

private:
  uint64_t all_ = 0;
  uint64_t answered_ = 0;
  std::optional<duration> last_taken_;
  std::vector<duration> refused_;
};

/// Asks a controller that is cut off to write, at its own gateway, all the time: that a VM that
/// stands runs, which it is to do anyway. A controller keeps a write for some seconds until it
/// knows better, so that several askers take turns.
///
/// None may be answered for good before the cut is over. One that is answered is in the ledger
/// as acknowledged, whenever that was, and looked for there.
class cut_off_writes {
public:
  /// When the node has just been cut off.
  cut_off_writes(const lab& where, ledger& book, int node);
  ~cut_off_writes();
  cut_off_writes(const cut_off_writes&) = delete;
  cut_off_writes& operator=(const cut_off_writes&) = delete;

  /// The cut is about to be over. What was sent may be answered for good from now on.
  void end() { over_ = true; }
  /// After that: waits for the last answers.
  [[nodiscard]] const cut_off_tally& tally();

private:
  using clock = std::chrono::steady_clock;

  void ask(int asker, const std::string& vm);
  void join();

  const lab& lab_;
  ledger& ledger_;
  const int node_;
  const clock::time_point begin_ = clock::now();
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  cut_off_tally tally_;
  std::vector<std::thread> threads_;
};

} // namespace novacron::chaos
