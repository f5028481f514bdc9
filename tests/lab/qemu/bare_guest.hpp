#pragma once

#include "runtime/demo/child_process.hpp"
#include "tests/lab/qemu/qmp.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace novacron::lab {

inline constexpr uint32_t guest_mib = 512;

/// A machine under TCG that runs the lab's guest.
struct guest_setup {
  std::filesystem::path folder; ///< for sockets and the log; short
  std::string name;             ///< of its files there
  std::filesystem::path image;  ///< folder with vmlinuz and initrd.gz
  std::string kernel_arguments;
  std::string network_namespace{};                ///< none: ours
  std::string incoming{};                         ///< QEMU's -incoming; none: boots
  std::string memory = std::to_string(guest_mib); ///< QEMU's -m
  std::vector<std::string> devices{};             ///< further arguments of QEMU's
};

/// A QEMU that we started without libvirt. Killed with this. Throws
/// std::runtime_error.
class bare_guest {
public:
  explicit bare_guest(const guest_setup& setup);

  qmp& monitor() { return *monitor_; }
  /// What its serial line says, for `console_watch`.
  [[nodiscard]] const std::filesystem::path& serial() const { return serial_; }

  void set_capabilities(const std::vector<std::string>& names);
  /// Waits until the state that it was started from is loaded; it is paused then.
  void wait_until_loaded();
  /// Waits for the end of a migration out of it; throws unless it went well.
  void wait_until_sent(std::chrono::seconds limit);
  /// Of all its threads so far.
  [[nodiscard]] double cpu_seconds() const;

private:
  std::filesystem::path serial_;
  child_process process_;
  std::optional<qmp> monitor_;
};

/// What a process and its threads have used so far; 0 when it is gone.
double cpu_seconds_of(pid_t process);

/// Starts `program`, in a network namespace of iproute2's if one is named.
child_process start_in(const std::string& network_namespace, const std::filesystem::path& program,
                       std::vector<std::string> arguments, const std::filesystem::path& log);

} // namespace novacron::lab
