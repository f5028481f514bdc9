#pragma once

#include "runtime/demo/child_process.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace novacron::bench {

/// Server processes of one group, by number from 1, each with a log of its own.
/// All of them are killed with this.
class servers {
public:
  /// `command` says what starts server n; its `output` is set here.
  servers(std::filesystem::path folder, std::function<child_command(int)> command)
      : folder_{std::move(folder)}, command_{std::move(command)} {
    // nop
  }

  void start(int number);
  void kill(int number); ///< SIGKILL, and waits for the end
  [[nodiscard]] bool runs(int number) const { return processes_.contains(number); }
  [[nodiscard]] std::filesystem::path log_of(int number) const;
  [[nodiscard]] pid_t pid(int number) const { return processes_.at(number).pid(); }

private:
  std::filesystem::path folder_;
  std::function<child_command(int)> command_;
  std::map<int, child_process> processes_;
};

/// The first of `count` ports of the loopback that are free in a row.
uint16_t free_ports(int count);

/// Asks until it holds; throws with `what` after `limit`.
void wait_until(const std::string& what, std::chrono::milliseconds limit,
                const std::function<bool()>& holds);

} // namespace novacron::bench
