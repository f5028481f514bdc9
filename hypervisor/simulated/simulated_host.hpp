#pragma once

#include "hypervisor/errors.hpp"
#include "hypervisor/hypervisor.hpp"
#include "hypervisor/pending_changes.hpp"
#include "hypervisor/simulated/guest_memory.hpp"
#include "hypervisor/simulated/stream_socket.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

namespace novacron {

/// What goes wrong with one call.
enum class simulated_fault : uint8_t {
  none,
  refuse,      ///< fails, without effect
  unreachable, ///< fails as if there were no daemon, without effect
  lose_answer, ///< has its effect, and fails with `outcome_unknown`
  act_late,    ///< fails with `outcome_unknown`, and has its effect `late_by` later
};

/// Chooses the fault of a call, by its name ("create", "migration_finish", …) and VM.
using fault_source = std::function<simulated_fault(std::string_view call, vm_id vm)>;

/// How often calls fail, each between 0 and 1.
struct fault_rates {
  double refuse = 0;
  double unreachable = 0;
  double lose_answer = 0;
  double act_late = 0;
};
/// Draws faults at random; the same seed draws the same. Safe from any thread.
fault_source random_faults(uint64_t seed, const fault_rates& rates);

struct simulated_host_config {
  host_capacity capacity{8, 16'384};
  uint64_t pages_per_guest
      = 1024; ///< 0: as many as its memory has; else so many, whatever it asked for
  uint64_t dirty_pages_per_second = 200; ///< unless the guest's arguments say another rate
  std::chrono::milliseconds late_by{200};
  std::function<std::chrono::milliseconds(std::string_view call)> latency; ///< none: no time passes
  fault_source faults;                                                     ///< none: no faults
  std::function<std::chrono::steady_clock::time_point()> clock;            ///< none: the real one
  std::function<std::chrono::nanoseconds()> boot_clock;                    ///< none: CLOCK_BOOTTIME
  std::function<void(std::chrono::milliseconds)> sleep;                    ///< none: really sleeps
};

/// A host with its hypervisor's daemon and guests, without the agent. It lives
/// in the memory of this process and outlives any driver, as guests outlive the
/// agent that started them. Its guests run while somebody looks: at each call,
/// and at each `let_guests_run`. All functions are safe from any thread.
class simulated_host {
public:
  explicit simulated_host(simulated_host_config config = {});
  ~simulated_host();
  simulated_host(const simulated_host&) = delete;
  simulated_host& operator=(const simulated_host&) = delete;

  /// The daemon is killed, as libvirtd by SIGKILL: calls fail, running transfers
  /// break, guests go on; incoming ones that were not finished are gone.
  void stop_daemon();
  void start_daemon();
  /// The guest's process dies.
  void kill_guest(vm_id vm);
  /// The guest switches itself off.
  void power_off(vm_id vm);
  /// Its fencer's deadline, on the boot clock. Once it has passed, `ha` guests end
  /// before anything else happens, and so does each one that appears later. Never
  /// given: none ends.
  void set_deadline(std::chrono::nanoseconds deadline);
  /// Guests that run now: for counting from outside.
  [[nodiscard]] std::vector<guest_status> guests();
  /// Brings the guests to the present: each does what is due, and says it on its console.
  void let_guests_run();
  /// Of a guest's memory; 0 when it isn't there.
  [[nodiscard]] uint64_t memory_digest(vm_id vm);

private:
  friend class simulated_driver;
  friend class memory_sender;
  using time_point = std::chrono::steady_clock::time_point;

  /// Receives an incoming guest's memory on a thread of its own.
  struct receiver {
    stream_socket listener;
    std::atomic<bool> stop{false};
    std::thread thread;
    ~receiver();
  };

  struct guest {
    guest_spec spec;
    guest_phase phase = guest_phase::paused;
    bool migration_source = false;
    bool performing = false;
    std::shared_ptr<std::atomic<bool>> abort; ///< of the Perform that runs
    migration_job job;
    std::chrono::milliseconds max_downtime{300};
    guest_memory memory{0};
    time_point ticked; ///< when it ticked last, or began to run
    std::chrono::nanoseconds cpu_time{0};
    const void* owner = nullptr; ///< of an incoming guest: the driver that prepared it
    std::shared_ptr<receiver> incoming;
    bool complete = false; ///< incoming, and its memory is there
  };

  struct late_effect {
    time_point due;
    std::function<result<void>(simulated_host&)> act;
  };

  [[nodiscard]] time_point now() const;
  void pass_time(std::string_view call);
  simulated_fault fault_of(std::string_view call, vm_id vm);

  /// Holds the lock; lets go of removed receivers when it is free again, since
  /// their threads want it, too.
  class lock {
  public:
    explicit lock(simulated_host& host) : host_{host}, guard_{host.mutex_} {}
    ~lock();
    lock(const lock&) = delete;
    lock& operator=(const lock&) = delete;

  private:
    simulated_host& host_;
    std::unique_lock<std::mutex> guard_;
  };

  using effect = std::function<result<void>(simulated_host&)>;
  /// A call that changes something: latency, faults, then `act` with the lock held.
  result<void> change(std::string_view call, vm_id vm, const effect& act);
  /// A call that only reads.
  result<void> look(std::string_view call, vm_id vm, const effect& act);

  // With the lock held.
  void act_on_what_is_due();
  void fence();
  static bool runs(const guest& x);
  void boot(guest& x);
  void let_run(guest& x);
  [[nodiscard]] uint64_t pages_of(const guest_spec& spec) const;
  /// The guest, or why there is none.
  result<guest*> find(std::string_view call, vm_id vm);
  void set_phase(guest& x, guest_phase phase);
  void tell(vm_id vm);
  void remove_if(const std::function<bool(const guest&)>& which);

  simulated_host_config config_;
  std::mutex mutex_;
  bool daemon_runs_ = true;
  uint64_t daemon_life_ = 1; ///< rises with each restart
  std::map<vm_id, guest> guests_;
  std::optional<std::chrono::nanoseconds> deadline_;
  std::vector<late_effect> late_;
  std::vector<std::shared_ptr<receiver>> removed_;
  std::map<const void*, std::shared_ptr<pending_changes>> listeners_; ///< of each driver
};

/// "cannot <call> guest <vm> (simulated): <why>".
failure simulated_failure(hypervisor_errc code, std::string_view call, vm_id vm, const char* why);

} // namespace novacron
