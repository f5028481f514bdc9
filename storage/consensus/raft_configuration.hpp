#pragma once

#include "storage/consensus/log_entry.hpp"
#include "storage/consensus/raft_c.hpp"

#include <span>
#include <string>

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
  void add_voter(uint64_t id, const std::string& address);
  [[nodiscard]] log_entry::bytes encode() const;

  /// Gives the memory to libraft, which frees it.
  raft_configuration release();

private:
  raft_configuration value_;
};

} // namespace novacron
