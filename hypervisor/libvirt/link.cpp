#include "hypervisor/libvirt/link.hpp"

#include "hypervisor/libvirt/complaint.hpp"
#include "hypervisor/libvirt/event_loop.hpp"

#include <system_error>
#include <thread>

namespace novacron {

namespace {

constexpr auto opening_limit = std::chrono::seconds{5};
// A libvirtd that answers nothing for half a minute is taken for dead.
constexpr int keepalive_interval_seconds = 5;
constexpr unsigned keepalive_count = 5;

result<connect_pointer> open_connection(const std::string& uri,
                                        const libvirt_link::opened_hook& hook) {
  virConnect* connection = virConnectOpen(uri.c_str());
  if (connection == nullptr)
    return make_failure(hypervisor_errc::unreachable,
                        "cannot connect to libvirt at " + uri + ": " + last_complaint().message
                            + "; see that libvirtd runs and that this user may use its socket");
  virConnectSetKeepAlive(connection, keepalive_interval_seconds, keepalive_count);
  auto before_close = hook ? hook(connection) : std::function<void()>{};
  return connect_pointer{connection, [before_close](virConnect* x) {
                           if (before_close)
                             before_close();
                           virConnectClose(x);
                         }};
}

} // namespace

libvirt_link::libvirt_link(std::string uri, opened_hook hook)
    : uri_{std::move(uri)}, hook_{std::move(hook)} {
  start_libvirt_event_loop();
}

/// The thread outlives us when libvirtd hangs; what it opens too late is closed
/// again with the future's state.
libvirt_link::attempt libvirt_link::start_opening(const std::string& uri, const opened_hook& hook) {
  std::packaged_task<result<connect_pointer>()> task{
      [uri, hook] { return open_connection(uri, hook); }};
  auto opened = task.get_future().share();
  std::thread{std::move(task)}.detach();
  return opened;
}

result<connect_pointer> libvirt_link::get() {
  std::unique_lock guard{mutex_};
  if (connection_ && virConnectIsAlive(connection_.get()) == 1)
    return connection_;
  connection_.reset();
  try {
    if (!pending_.valid())
      pending_ = start_opening(uri_, hook_);
  } catch (const std::system_error& why) { // no thread to be had
    return make_failure(hypervisor_errc::unreachable, "cannot connect to libvirt at " + uri_ + ": "
                                                          + why.what() + "; end other processes");
  }
  auto opening = pending_;
  guard.unlock();
  if (opening.wait_for(opening_limit) != std::future_status::ready)
    return make_failure(
        hypervisor_errc::unreachable,
        "cannot connect to libvirt at " + uri_
            + ": it does not answer; see that libvirtd isn't stopped or overloaded");
  auto opened = opening.get();
  guard.lock();
  if (pending_.valid() && pending_.wait_for(std::chrono::seconds{0}) == std::future_status::ready) {
    pending_ = {};
    if (opened)
      connection_ = *opened;
  }
  return opened;
}

void libvirt_link::drop() {
  connect_pointer gone;
  std::lock_guard guard{mutex_};
  gone.swap(connection_);
}

} // namespace novacron
