#pragma once

#include "hypervisor/hypervisor.hpp"
#include "hypervisor/libvirt/link.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace novacron {

/// What changed since it was last asked: at most one entry per VM, however
/// often it changed. libvirt's event thread puts in, the watch takes out.
class pending_changes {
public:
  void add(vm_id vm);
  void connection_closed();
  void stop();

  struct taken {
    std::set<vm_id> guests;
    bool closed = false;
    bool stopping = false;
  };
  /// Waits until there is something, or the limit is over.
  taken wait(std::chrono::milliseconds limit);

private:
  std::mutex mutex_;
  std::condition_variable wake_;
  taken pending_;
};

/// Keeps a link to libvirtd open and tells a listener what happens to guests.
///
/// libvirt delivers events on its one event thread, where a listener that
/// blocks would stall every connection of the process; so they are collected,
/// and told from a thread of the watch's own. A connection that broke is made
/// anew, after 100 ms, 200 ms, … 2 s; whatever happened meanwhile is told as
/// "look at all".
class guest_watch {
public:
  /// A link whose connections report to the watch.
  explicit guest_watch(std::string uri);
  ~guest_watch();
  guest_watch(const guest_watch&) = delete;
  guest_watch& operator=(const guest_watch&) = delete;

  libvirt_link& link() { return link_; }

  /// Starts telling. After the destructor has returned nothing is told any more.
  void subscribe(std::function<void(const guest_event&)> listener);

private:
  void run();
  void tell(const guest_event& event);

  std::shared_ptr<pending_changes> pending_ = std::make_shared<pending_changes>();
  libvirt_link link_;
  std::mutex mutex_;
  std::function<void(const guest_event&)> listener_;
  std::thread thread_;
};

} // namespace novacron
