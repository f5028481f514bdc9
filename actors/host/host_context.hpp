#pragma once

#include "actors/blocking/blocking_pool.hpp"
#include "actors/handle_slot.hpp"
#include "actors/host/boot_clock.hpp"
#include "actors/log/log.hpp"
#include "dwcp/session/session.hpp"
#include "hypervisor/hypervisor.hpp"
#include "messages/actors.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace novacron {

/// What a host starts guests of one image from.
struct image_files {
  std::filesystem::path kernel;
  std::filesystem::path initrd;
};

class finish_mark; // actors/migration/guest_steps.hpp

/// As `start_page_sender`.
using page_sender_starter = std::function<result<std::unique_ptr<page_sender>>(
    const tls_files& tls, const session_ticket& ticket, const send_options& options,
    session_end end)>;

/// What the actors of one host share: its hypervisor, its folders, the way to
/// the log. Made once by the node, outlives the actors.
struct host_context {
  host_record self;            ///< as it is registered
  std::filesystem::path state; ///< folder of this host's files
  std::map<std::string, image_files> images;
  std::map<std::string, std::string> networks; ///< each with the bridge that it is here
  std::shared_ptr<hypervisor> driver;
  std::shared_ptr<blocking_pool> pool;
  std::shared_ptr<page_door> pages;
  tls_files tls;
  /// Moves the fencer's deadline (CLOCK_BOOTTIME); may block for seconds.
  /// Empty: this host has no fencer, and says so in `self.fences`.
  std::function<result<void>(std::chrono::nanoseconds deadline)> move_deadline;
  /// Starts the fencer unless it runs; may block for seconds. Empty: nothing can be
  /// started here that would end guests which outlived it.
  std::function<result<void>()> keep_fencer;
  std::chrono::milliseconds lease_term{10'000};
  std::chrono::milliseconds renew_every{2'000};
  std::chrono::milliseconds shutdown_grace{5'000};
  uint32_t page_streams = 2;
  std::shared_ptr<link_share> page_share; ///< of the pages that leave this host; may be null
  std::shared_ptr<kept_memory> kept;      ///< of guests that left it or came; null: none
  logger log;

  /// CLOCK_BOOTTIME of this machine, which leases and the fencer count on.
  std::function<std::chrono::nanoseconds()> boot_time = boot_clock_now;
  /// How the memory of a guest that leaves is sent.
  page_sender_starter send_pages = start_page_sender;
  /// The mark of a Finish that was begun; empty: a file, `finish_mark`.
  std::function<std::unique_ptr<novacron::finish_mark>(migration_id)> mark_of;

  /// The deadline that the fencer has, on CLOCK_BOOTTIME: no guest is let run after it.
  std::atomic<std::chrono::nanoseconds> guarded_until{std::chrono::nanoseconds{0}};

  // The present incarnations of those whom a host talks to.
  handle_slot<frontend_actor> frontend;
  handle_slot<feed_source_actor> feed;
  handle_slot<peers_actor> peers;
  handle_slot<supervisor_actor> guests; ///< supervises VMs' and migrations' actors
  handle_slot<host_actor> host;

  [[nodiscard]] std::filesystem::path console_folder() const { return state / "console"; }
  [[nodiscard]] std::filesystem::path console_log(vm_id vm) const {
    return console_folder() / (to_string(vm) + ".log");
  }
  /// Where we listen for the memory of a guest that leaves.
  [[nodiscard]] std::filesystem::path outgoing_socket(migration_id migration) const {
    return state / "outgoing" / to_string(migration).substr(0, 8);
  }
  /// Where QEMU listens for the memory of a guest that comes. A folder of its
  /// own: it belongs to the hypervisor's user, the other one to us.
  [[nodiscard]] std::filesystem::path incoming_socket(migration_id migration) const {
    return state / "incoming" / to_string(migration).substr(0, 8);
  }
  /// Stands once a Finish was begun for the migration: see `found_guest`.
  [[nodiscard]] std::filesystem::path finish_mark(migration_id migration) const {
    return state / "finishing" / to_string(migration);
  }
};

/// What the hypervisor needs to know to run `vm` here, under `epoch`. Fails
/// when this host doesn't have the VM's image or one of its networks.
result<guest_spec> make_guest_spec(const host_context& context, const vm_record& vm, epoch epoch);

} // namespace novacron
