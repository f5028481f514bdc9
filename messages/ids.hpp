#pragma once

#include "messages/uuid.hpp"

namespace novacron {

/// A uuid that names one kind of thing, so that a VM's can't be passed for a host's.
template <class Kind>
struct id {
  uuid value;

  [[nodiscard]] constexpr bool nil() const { return value.nil(); }
  friend constexpr auto operator<=>(const id&, const id&) = default;
  friend std::string to_string(const id& x) { return to_string(x.value); }

  /// CAF's serialisation and rendering; ids travel inside a process as they are.
  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, id& x) {
    return f(x.value.high, x.value.low);
  }
};

using node_id = id<struct node_kind>; ///< a process in the cluster; a host is named by its node
using vm_id = id<struct vm_kind>;
using migration_id = id<struct migration_kind>;
using operation_id = id<struct operation_kind>;
using boot_id = id<struct boot_kind>; ///< one boot of a host's operating system
using cluster_id = id<struct cluster_kind>;
using task_id = id<struct task_kind_tag>; ///< of a drain, an evacuation or a rebalance
using token_id = id<struct token_kind>;   ///< of a token that lets a node join

/// A permission to run a guest. Each new one is greater than all before it:
/// the timeline rises when the log itself was restored or forced, the number
/// with each start and each committed move.
struct epoch {
  uint32_t timeline = 0;
  uint64_t number = 0;

  friend constexpr auto operator<=>(const epoch&, const epoch&) = default;

  /// The next permission in the same timeline.
  [[nodiscard]] constexpr epoch next() const { return {timeline, number + 1}; }

  template <class Inspector>
  friend typename Inspector::result_type inspect(Inspector& f, epoch& x) {
    return f(x.timeline, x.number);
  }
};

/// Renders "timeline.number".
inline std::string to_string(const epoch& x) {
  return std::to_string(x.timeline) + '.' + std::to_string(x.number);
}

} // namespace novacron

template <class Kind>
struct std::hash<novacron::id<Kind>> {
  size_t operator()(const novacron::id<Kind>& x) const noexcept {
    return std::hash<novacron::uuid>{}(x.value);
  }
};
