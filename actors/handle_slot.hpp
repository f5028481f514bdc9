#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace novacron {

/// Where the present incarnation of a supervised actor is found. Its start
/// function sets it; others read it each time they need it. Safe from any thread.
template <class Handle>
class handle_slot {
public:
  void set(Handle handle) {
    std::lock_guard lock{mutex_};
    handle_ = std::move(handle);
  }
  /// An invalid handle until the first incarnation has started.
  [[nodiscard]] Handle get() const {
    std::lock_guard lock{mutex_};
    return handle_;
  }
  /// Lets go of the handle: at the end, so that the actor system can stop.
  void clear() { set(Handle{}); }

private:
  mutable std::mutex mutex_;
  Handle handle_;
};

} // namespace novacron
