#pragma once

#include "dwcp/session/session.hpp"
#include "messages/descriptor.hpp"

#include <array>

namespace novacron {

/// A node's certificate, key and CA as they were when it started.
///
/// The problem: CAF reads the files anew for each connection, also for one that a
/// stranger opens, and ends the process if they don't fit together; so does each
/// migration, and fails. Whoever renews a pair under a running node, file by file,
/// would kill it. So a node reads copies that nobody can exchange: they are in
/// memory (memfd_create(2)), only this process can open them, and children don't
/// get them.
class pinned_files {
public:
  /// Copies them. Fails when one can't be read.
  static result<pinned_files> of(const tls_files& files);

  /// Where the copies are, for this process alone and as long as this lives.
  [[nodiscard]] tls_files paths() const;

private:
  pinned_files() = default;

  std::array<descriptor, 3> copies_; ///< certificate, key, authority
};

} // namespace novacron
