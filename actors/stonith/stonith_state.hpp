#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace novacron {

struct stonith_config {
  size_t most_runs = 4;                    ///< at once
  std::chrono::milliseconds after{30'000}; ///< that a host must have been unreachable
  /// After what came to nothing: doubled each time, up to the longest.
  std::chrono::milliseconds pause{5'000};
  std::chrono::milliseconds longest_pause{300'000};
};

/// Run the fence command for a host: → `ended`.
struct run_command {
  node_id host;
  std::string name;
  friend bool operator==(const run_command&, const run_command&) = default;
};
/// End its run: → `ended`, soon.
struct end_command {
  node_id host;
  friend bool operator==(const end_command&, const end_command&) = default;
};
/// Tell the log that the host is off: → `answered`.
struct say_fenced {
  node_id host;
  friend bool operator==(const say_fenced&, const say_fenced&) = default;
};
using stonith_effect = std::variant<run_command, end_command, say_fenced>;

/// For which hosts the fence command is to be run, and when.
///
/// The problem: a host can't be reached, and some of its VMs can't start elsewhere
/// before somebody knows that they have stopped. A program of the operator's can make
/// sure, and its word is as good as his; but it is slow, it fails, and it ends
/// whatever runs there. So it is run only for such a host, once at a time, a while after the
/// host was lost and ever less often when it fails; and its word counts only for the loss
/// for which it was run. When the host is back, the run is ended.
///
/// Pure. Nothing is kept anywhere else: the next leader begins again, and so may run the
/// command for a host once more.
class stonith_state {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using effects = std::vector<stonith_effect>;

  explicit stonith_state(stonith_config config = {}) : config_{config} {
    // nop
  }

  // What the feed says; see `feed_follower::sink`.
  void put(const any_record& record, time_point now);
  void remove(const any_record& record);
  void keep_only(const std::set<std::pair<record_type, uuid>>& named);

  /// What to do now.
  effects tick(time_point now);
  /// A run has ended; `off` says that its status was 0. True: that counts.
  bool ended(node_id host, bool off, time_point now);
  /// The log has taken the word, has refused it, or nobody knows.
  void answered(node_id host, time_point now);

private:
  enum class phase : uint8_t { idle, running, ending, saying };

  struct known_host {
    std::string name;
    uint64_t revision = 0;
    uint64_t lost_lease = 0; ///< while unreachable; else 0
    bool unreachable = false;
    time_point since; ///< when we saw that it is
    std::set<vm_id> waiting;
    phase now = phase::idle;
    uint64_t run_for = 0; ///< the loss that the command runs for
    bool off = false;     ///< what the command said of this loss
    time_point not_before;
    std::chrono::milliseconds pause{0};
  };

  void put_host(const host_record& host, time_point now);
  void put_vm(const vm_record& vm);
  void forget(vm_id vm);
  void back_off(known_host& host, time_point now) const;
  [[nodiscard]] bool due(const known_host& host, time_point now) const;

  stonith_config config_;
  std::map<node_id, known_host> hosts_;
  std::map<vm_id, node_id> waiting_;
  size_t runs_ = 0;
};

} // namespace novacron
