#pragma once

#include "dwcp/session/session.hpp"

#include <filesystem>

namespace novacron::bench {

/// The two ends of a page session as processes of their own, each in its network
/// namespace: a hidden command of this program each.
struct page_end {
  tls_files tls;
  std::filesystem::path socket; ///< of QEMU's stream
  std::filesystem::path result; ///< what became of it, as JSON: the session's counters, cpu_seconds
  std::filesystem::path kept;   ///< pages that the door lends; empty: none
  uint32_t streams = send_options{}.streams;
  bool plain = false;
};

/// Who the ends are, for their certificates.
node_id source_node();
node_id destination_node();

/// Serves one session; the file `<result>.ready` says that it listens. Both
/// return the process's exit status.
int run_page_door(const page_end& end);
int run_page_sender(const page_end& end);

} // namespace novacron::bench
