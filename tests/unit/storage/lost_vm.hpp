#pragma once

#include "test_cluster.hpp"

namespace novacron {

inline constexpr auto node_3 = test_id<node_id>(3);

/// A VM that runs on node-1, with its policy.
struct one_vm_runs : test_cluster {
  explicit one_vm_runs(restart_policy of = restart_policy::on_failure) {
    policy = of;
    started();
  }

  command_outcome replace(node_id to, const std::string& problem = {}) {
    const auto& x = the_vm();
    return run(replace_vm{vm, x.epoch, state.find(x.host)->lost_lease, to, problem});
  }

  [[nodiscard]] bool mentions(std::string_view part) const {
    return the_vm().reason.find(part) != std::string::npos;
  }
};

struct ha_vm : one_vm_runs {};
struct plain_vm : one_vm_runs {
  plain_vm() : one_vm_runs{restart_policy::never} {}
};

} // namespace novacron
