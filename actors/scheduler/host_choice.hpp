#pragma once

#include "messages/local.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace novacron {

/// One choice among hosts: the least loaded of those that can run a guest, or
/// what is missing on the host that comes nearest. Hosts are considered in the
/// order of their ids; of equal ones the first wins.
class host_choice {
public:
  explicit host_choice(const vm_spec& spec) : spec_{spec} {
    // nop
  }

  void consider(const host_record& host, uint64_t free_memory_mib, uint64_t free_vcpus,
                bool live_migration);
  [[nodiscard]] place_answer answer() const;

private:
  /// How far a host comes; each is nearer than the one before.
  enum class hurdle : uint8_t {
    none_considered,
    not_up,
    no_live_migration,
    no_image,
    no_room,
    fits
  };

  struct candidate {
    hurdle stopped_by = hurdle::none_considered;
    node_id host;
    uint64_t free_memory_mib = 0;
    uint64_t memory_mib = 1;
    uint64_t free_vcpus = 0;
    std::string complaint; ///< what is missing on it
  };

  [[nodiscard]] candidate judge(const host_record& host, uint64_t free_memory_mib,
                                uint64_t free_vcpus, bool live_migration) const;
  [[nodiscard]] static bool better(const candidate& left, const candidate& right);

  const vm_spec& spec_;
  candidate best_;
};

} // namespace novacron
