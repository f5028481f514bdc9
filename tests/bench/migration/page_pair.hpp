#pragma once

#include "dwcp/session/session.hpp"
#include "runtime/demo/child_process.hpp"
#include "tests/lab/link/emulated_link.hpp"

#include <boost/json/object.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace novacron::bench {

/// How pages are carried.
struct page_setup {
  std::filesystem::path program; ///< this one
  tls_files source;
  tls_files destination;
  uint32_t streams = send_options{}.streams;
  bool plain = false; ///< not compressed
};

/// Of QEMU's stream.
struct page_sockets {
  std::filesystem::path out; ///< the sender listens, the source's side connects
  std::filesystem::path in;  ///< the destination's QEMU listens
};

/// Pages that the destination has kept (`dwcp/kept_memory`); empty: none.
using kept_folder = std::filesystem::path;

/// The two ends of a page session, each a process in its side's namespace. Killed with
/// this. Throws std::runtime_error.
class page_pair {
public:
  /// The door, which is open then. Results and logs, `page-….log`, go into `folder`.
  page_pair(const page_setup& setup, const lab::emulated_link& link, const page_sockets& sockets,
            const std::filesystem::path& folder, const kept_folder& kept = {});

  /// As an agent does when a migration begins: QEMU can connect then.
  void start_sender();

  /// Waits for the end of the session, and adds to a row what it has counted and
  /// the CPU time that it took.
  void note_end(boost::json::object& row);

private:
  /// Returns once it is ready.
  child_process start(const std::string& command, const lab::network_namespace& where,
                      const tls_files& tls, const std::filesystem::path& socket,
                      const std::vector<std::string>& more) const;

  const page_setup& setup_;
  const lab::emulated_link& link_;
  const page_sockets sockets_;
  const std::filesystem::path folder_;
  child_process door_;
  child_process sender_;
};

} // namespace novacron::bench
