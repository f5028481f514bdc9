#pragma once

#include "hypervisor/libvirt/handles.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <functional>
#include <future>
#include <mutex>
#include <string>

namespace novacron {

/// A connection to libvirtd that is made anew when it has broken.
///
/// libvirtd may be restarted or hang at any time. A call on a connection that
/// broke fails; the next `get` opens another. Opening has no timeout in
/// libvirt, so it happens on a thread of its own and we wait for it only so
/// long; at most one such thread exists per link.
class libvirt_link {
public:
  /// What is done with a new connection before anyone gets it, and returns what
  /// must be done before it is closed.
  using opened_hook = std::function<std::function<void()>(virConnect*)>;

  explicit libvirt_link(std::string uri, opened_hook hook = {});

  /// The connection, opened when there is none that lives. Fails with
  /// `unreachable`. Blocks for at most five seconds. Any thread.
  result<connect_pointer> get();

  /// Forgets the connection; it closes when the last call on it has returned.
  void drop();

  [[nodiscard]] const std::string& uri() const { return uri_; }

private:
  using attempt = std::shared_future<result<connect_pointer>>;

  static attempt start_opening(const std::string& uri, const opened_hook& hook);

  std::string uri_;
  opened_hook hook_;
  std::mutex mutex_;
  connect_pointer connection_;
  attempt pending_; ///< an opening that is under way
};

} // namespace novacron
