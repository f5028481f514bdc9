#pragma once

#include "dwcp/session/session.hpp"
#include "runtime/demo/child_process.hpp"
#include "tests/lab/link/emulated_link.hpp"

#include <boost/json/object.hpp>
#include <filesystem>

namespace novacron::bench {

/// How pages are carried.
struct page_setup {
  std::filesystem::path program; ///< this one
  tls_files source;
  tls_files destination;
  uint32_t streams = send_options{}.streams;
  int level = send_options{}.compression_level;
};

/// Of QEMU's stream.
struct page_sockets {
  std::filesystem::path out; ///< the sender listens, the source's side connects
  std::filesystem::path in;  ///< the destination's QEMU listens
};

/// Pages that the destination has kept (`dwcp/kept_memory`); empty: none.
using kept_folder = std::filesystem::path;

/// The two ends of a page session, each a process in its side's namespace. Ready
/// once it is made; killed with this. Throws std::runtime_error.
class page_pair {
public:
  /// Results and logs, `page-….log`, go into `folder`.
  page_pair(const page_setup& setup, const lab::emulated_link& link, const page_sockets& sockets,
            const std::filesystem::path& folder, const kept_folder& kept = {});

  /// Waits for the end of the session, and adds to a row what it has counted and
  /// the CPU time that it took.
  void note_end(boost::json::object& row);

private:
  std::filesystem::path folder_;
  child_process door_;
  child_process sender_;
};

} // namespace novacron::bench
