#pragma once

#include "dwcp/errors.hpp"
#include "dwcp/transport/wakeup.hpp"

#include <mutex>
#include <optional>

namespace novacron {

/// Whether a session has failed, and the first reason why. Safe from any thread.
class session_outcome {
public:
  /// Later reasons are consequences of the first, and dropped.
  void fail(failure why) {
    {
      const std::scoped_lock lock{mutex_};
      if (!why_)
        why_ = std::move(why);
    }
    stopped_.raise();
    nudge_.raise();
  }

  [[nodiscard]] std::optional<failure> why() const {
    const std::scoped_lock lock{mutex_};
    return why_;
  }
  [[nodiscard]] bool failed() const { return why().has_value(); }

  /// Raised for good once the session has failed.
  [[nodiscard]] const wakeup& stopped() const { return stopped_; }
  /// Raised whenever the session's main thread should look around.
  [[nodiscard]] const wakeup& nudge() const { return nudge_; }

private:
  mutable std::mutex mutex_;
  std::optional<failure> why_;
  wakeup stopped_;
  wakeup nudge_;
};

} // namespace novacron
