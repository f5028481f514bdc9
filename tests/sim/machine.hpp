#pragma once

#include "hypervisor/fencer/held_deadline.hpp"
#include "hypervisor_model.hpp"
#include "node_clock.hpp"

#include <optional>
#include <set>
#include <utility>

namespace novacron::sim {

struct fencer_settings {
  bool fences = true;          ///< false: it only holds the deadline
  uint64_t round_ms = 100;     ///< between two looks
  uint64_t kill_ms = 20;       ///< from SIGKILL to the guest's end, at most
  uint64_t start_max_ms = 200; ///< until a fencer that was started answers
};

/// A host's machine, without its agent: clocks, hypervisor, the fencer's process,
/// and what its disk keeps. The fencer is the daemon's parent: they die together.
class machine {
public:
  machine(scheduler& time, chance& luck, probes& seen, guest_checker& guests, node_id host,
          hypervisor_faults faults, fencer_settings fencer)
      : clock{time}, driver{std::make_shared<hypervisor_model>(time, luck, seen, guests, host,
                                                               faults)},
        time_{time}, luck_{luck}, seen_{seen}, fencer_{fencer} {
    // nop
  }

  node_clock clock;
  std::shared_ptr<hypervisor_model> driver;
  std::set<migration_id> finish_marks; ///< on the disk

  [[nodiscard]] boot_id boot() const { return {{6, boots_}}; }
  [[nodiscard]] bool powered() const { return powered_; }
  void power_loss();
  void power_on();

  // -- the fencer ----------------------------------------------------------------------

  [[nodiscard]] bool fencer_runs() const { return fencer_life_ != 0 && powered_; }
  void kill_fencer();
  /// Starts one unless it runs; it reads the deadline that the last one left.
  void start_fencer();
  /// Takes the order and writes it down; `done` hears whether it did. False: no
  /// fencer listens.
  bool order(std::chrono::nanoseconds deadline, std::function<void(bool)> done);

  /// The same for whoever waits for it. False: no fencer listens, or it refused.
  bool order_now(std::chrono::nanoseconds deadline);

private:
  void round(uint64_t life);

  scheduler& time_;
  chance& luck_;
  probes& seen_;
  const fencer_settings fencer_;
  bool powered_ = true;
  uint64_t boots_ = 1;
  bool starting_ = false;
  uint64_t fencer_life_ = 0; ///< 0: it doesn't run
  uint64_t fencer_lives_ = 0;
  std::optional<held_deadline> held_; ///< the process's
  uint64_t fencing_since_ = 0;        ///< 0: the deadline hasn't passed
  std::optional<std::pair<boot_id, std::chrono::nanoseconds>> file_;
};

} // namespace novacron::sim
