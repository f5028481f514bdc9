#pragma once

#include "storage/consensus/raft_c.hpp"
#include "storage/replication/membership.hpp"

#include <span>

namespace novacron {

/// Owns a libraft configuration: who takes part, and who votes.
class raft_membership {
public:
  raft_membership() { raft_configuration_init(&value_); }
  ~raft_membership() { raft_configuration_close(&value_); }
  raft_membership(const raft_membership&) = delete;
  raft_membership& operator=(const raft_membership&) = delete;

  /// False: the bytes are no configuration.
  bool decode(std::span<const std::byte> bytes);
  void add(const raft_member& member);
  [[nodiscard]] log_entry::bytes encode() const;
  [[nodiscard]] membership members() const;

  /// Gives the memory to libraft, which frees it.
  raft_configuration release();

private:
  raft_configuration value_;
};

/// What libraft holds.
membership members_of(const raft_configuration& value);

} // namespace novacron
