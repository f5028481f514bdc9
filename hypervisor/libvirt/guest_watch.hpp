#pragma once

#include "hypervisor/hypervisor.hpp"
#include "hypervisor/libvirt/link.hpp"
#include "hypervisor/pending_changes.hpp"

#include <memory>
#include <mutex>
#include <thread>

namespace novacron {

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
