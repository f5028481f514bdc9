#pragma once

#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/fencer/libvirtd_launch.hpp"
#include "hypervisor/fencer/libvirtd_layout.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <optional>

namespace novacron {

/// One host's libvirtd: its folders, its configuration, its process.
///
/// Several libvirtd live on one machine when each has folders, sockets and a
/// host uuid of its own. In session mode that is a matter of XDG variables and
/// an unprivileged user; in system mode the paths are compiled in, so it gets a
/// mount namespace with its own folders bound over them. No call here talks to
/// libvirtd; that it listens is seen by its socket.
class libvirtd_process {
public:
  explicit libvirtd_process(fencer_config config);

  /// Finds out whom libvirtd runs as, for all starts: a directory service may hang, as
  /// when the host is cut off. Makes folders and writes configuration; repeats are
  /// harmless, guests' state and QEMU's capabilities are kept. Fails with `refused` when the state
  /// folder can't be made ours, with `not_supported` when this machine or this caller can't run the
  /// mode (no such user, not root).
  result<void> prepare();

  /// Starts it, in a session of its own, with its output in `layout().log`;
  /// returns its pid without waiting for it to listen. It is a child of the
  /// calling thread and is killed when that thread ends: a libvirtd without a
  /// fencer could create guests that nobody fences. Its guests run on.
  /// The pid is the caller's to reap. Blocks for at most half a second.
  result<int> start() const;

  /// Ends every libvirtd that runs on this state folder, whoever started it:
  /// found by executable and by the pid file on its command line, asked with
  /// SIGTERM, killed after `patience`. Returns how many there were; fails with
  /// `refused` when one can't be killed. Guests run on.
  result<int> end_all(std::chrono::milliseconds patience) const;

  [[nodiscard]] const libvirtd_layout& layout() const { return layout_; }
  [[nodiscard]] const std::filesystem::path& socket() const { return layout_.socket; }
  [[nodiscard]] std::string uri() const { return libvirt_uri(config_); }

private:
  fencer_config config_;
  libvirtd_layout layout_;
  std::optional<unix_account> account_; ///< once prepared
};

} // namespace novacron
