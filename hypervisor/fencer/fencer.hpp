#pragma once

#include "messages/descriptor.hpp"
#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

/// How libvirtd is run.
enum class libvirt_mode : uint8_t {
  session, ///< under an unprivileged user, with folders of its own
  system,  ///< as root, in a mount namespace of its own
};

/// A device that resets the machine when the fencer doesn't pet it for so long.
struct watchdog_config {
  std::filesystem::path device;
  std::chrono::seconds timeout{6}; ///< the longest; see `watchdog_rule`
};

struct fencer_config {
  node_id host;
  std::filesystem::path state; ///< the fencer's and libvirtd's folder; one per host
  libvirt_mode mode = libvirt_mode::session;
  std::string user = "novacron"; ///< session mode only
  std::filesystem::path libvirtd = "/usr/sbin/libvirtd";
  std::optional<watchdog_config> watchdog{};
};

/// A host's fencer: a process of its own, parent and child-subreaper of the
/// host's libvirtd, and holder of the lease's deadline.
///
/// The problem: guests outlive the agent that started them. When a host is cut
/// off, its agent may be dead or frozen just when its lease ends, and libvirtd
/// may hang; the `ha` guests must end all the same, before the leader starts
/// them elsewhere. So a small process that depends on neither counts the
/// deadline on CLOCK_BOOTTIME and kills the guests' QEMU processes, which it
/// finds in /proc by the mark that their environment carries. It keeps killing
/// until the deadline is moved: a create that was late must not survive. A watchdog, where
/// there is one, resets the machine when the fencer can't do that.
///
/// Runs until `stop` is asked for over its socket, or SIGTERM. Returns the exit
/// status of the process.
int run_fencer(const fencer_config& config);

/// What the fencer says of itself.
struct fencer_status {
  std::optional<std::chrono::nanoseconds>
      deadline;         ///< on CLOCK_BOOTTIME; none: never given, nothing is killed
  bool fenced = false;  ///< the deadline has passed; `ha` guests are being killed
  uint64_t killed = 0;  ///< guests killed, their death confirmed, since the fencer started
  uint64_t dying = 0;   ///< guests killed that are not dead yet, as when a disk hangs
  int libvirtd_pid = 0; ///< 0 while it is being restarted
  int pid = 0;
  std::chrono::seconds watchdog{0}; ///< its longest timeout; 0: it has none
};

/// The agent's end of the fencer's socket. One request at a time; calls block
/// for at most a second or two.
class fencer_client {
public:
  /// Connects to the host's fencer; starts one when none answers, in a session
  /// of its own, so that it outlives us. `program` is the executable that runs
  /// `run_fencer` when called as `program fencer --host … --state … …`. `refused`
  /// when `config` names a watchdog, and a fencer that has none runs already.
  static result<fencer_client> attach(const fencer_config& config,
                                      const std::filesystem::path& program);

  /// Guests may run until `deadline` on CLOCK_BOOTTIME. A deadline in the past
  /// fences at once; a later one ends the fencing.
  result<void> set_deadline(std::chrono::nanoseconds deadline);
  result<fencer_status> status();
  /// Stops libvirtd and the fencer. Guests run on, unfenced: for tests and for
  /// taking a host out of service.
  result<void> stop();

  /// Where libvirtd listens: the path for libvirt's URI.
  [[nodiscard]] std::filesystem::path libvirt_socket() const;

private:
  fencer_client(descriptor socket, std::filesystem::path libvirt_socket);

  descriptor socket_;
  std::filesystem::path libvirt_socket_;
};

/// The mark that a guest's QEMU carries in its environment, and by which the
/// fencer finds it: variable name and value.
inline constexpr const char* guest_mark_variable = "NOVACRON_GUEST";

struct guest_mark {
  node_id host;
  vm_id vm;
  novacron::epoch epoch;
  bool ha = false;
};
std::string to_string(const guest_mark& mark);
std::optional<guest_mark> parse_guest_mark(std::string_view text);

/// A QEMU process of ours, as /proc shows it.
struct guest_process {
  int pid = 0;
  guest_mark mark;
};

/// All of our guests' processes on this machine, of every host, as counted from
/// outside: by /proc alone.
std::vector<guest_process> find_guest_processes();

} // namespace novacron
