#pragma once

#include "storage/consensus/raft_core.hpp"
#include "storage/local/inbox.hpp"

#include <string>
#include <vector>

namespace novacron {

/// Answers those who want to read what everybody has acknowledged so far.
///
/// A single voter has applied whatever it acknowledged, once it has applied its
/// predecessor's log. Among several only a committed entry shows that nobody
/// else leads: a barrier, which all share that asked before it was appended.
/// One is under way at a time; who comes meanwhile waits for the next.
class read_barriers {
public:
  explicit read_barriers(raft_core& core) : core_{core} {
    // nop
  }

  /// A term of this replica's own began at `index`.
  void leads_since(uint64_t index) { term_began_ = index; }
  void ask(std::vector<barrier_callback> waiting);
  /// Appends what is needed, and answers who can be, with `revision`. `hint`
  /// tells the others where to ask.
  void poll(uint64_t revision, const std::string& hint, raft_core::millisecond_clock now);
  void fail(const failure& why);

private:
  raft_core& core_;
  uint64_t term_began_ = 0;
  uint64_t under_way_ = 0;              ///< index of the barrier; 0: none
  uint64_t term_ = 0;                   ///< of `under_way_`
  std::vector<barrier_callback> asked_; ///< before no barrier yet
  std::vector<barrier_callback> waiting_;
};

} // namespace novacron
