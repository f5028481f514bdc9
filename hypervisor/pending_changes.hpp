#pragma once

#include "messages/ids.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

namespace novacron {

/// What changed since it was last asked: at most one entry per VM, however
/// often it changed. Whoever sees a change puts it in; a thread of the driver's
/// own takes it out and tells the listener.
class pending_changes {
public:
  /// `powered_off`: see `guest_event`; stays true until it was taken out.
  void add(vm_id vm, bool powered_off = false);
  void add_all();
  void stop();

  struct taken {
    std::map<vm_id, bool> guests; ///< whether it powered itself off
    bool all = false;             ///< look at all of them
    bool stopping = false;
  };
  /// Waits until there is something, or the limit is over.
  taken wait(std::chrono::milliseconds limit);

private:
  std::mutex mutex_;
  std::condition_variable wake_;
  taken pending_;
};

} // namespace novacron
