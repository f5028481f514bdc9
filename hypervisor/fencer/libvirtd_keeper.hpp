#pragma once

#include "hypervisor/fencer/libvirtd_process.hpp"

#include <chrono>
#include <optional>

namespace novacron {

/// Keeps one libvirtd running: ends what an earlier fencer left, starts ours,
/// starts it again when it dies.
///
///     ending ──▶ running ──died──▶ waiting(0.1 … 10 s) ──▶ ending ──▶ …
///       any of them ──stop──▶ stopping ──▶ stopped
///
/// The wait doubles with each death and falls back after 30 s of life; it never
/// gives up, since without libvirtd the host's guests can't be told anything.
/// Never blocks for long; the caller reaps and passes the deaths on. Times are CLOCK_BOOTTIME.
class libvirtd_keeper {
public:
  using time = std::chrono::nanoseconds;

  explicit libvirtd_keeper(const libvirtd_process& libvirtd) : libvirtd_{libvirtd} {}

  /// Does what is due.
  void tick(time now);
  /// When `tick` wants to be called next, if nothing dies before.
  [[nodiscard]] std::optional<time> next() const { return due_; }
  /// A child died. False when it wasn't ours.
  bool died(int pid, int status, time now);
  /// Asks libvirtd to end, with SIGTERM, after 3 s with SIGKILL.
  void stop(time now);

  [[nodiscard]] bool stopped() const { return phase_ == phase::stopped; }
  [[nodiscard]] int pid() const { return phase_ == phase::running ? pid_ : 0; }

private:
  enum class phase { waiting, ending, running, stopping, stopped };

  void end_others(time now);
  void start(time now);
  void wait(time now);

  const libvirtd_process& libvirtd_;
  phase phase_ = phase::waiting;
  int pid_ = 0; ///< of libvirtd, or of the chore that ends others
  std::optional<time> due_ = time{0};
  time started_{0};
  unsigned deaths_ = 0; ///< in a row
};

} // namespace novacron
