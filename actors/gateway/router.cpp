#include "actors/gateway/router.hpp"

#include <array>

namespace novacron {

namespace {

constexpr std::array table{
    route{action::list_vms, "GET", "/api/v1/vms"},
    route{action::create_vm, "POST", "/api/v1/vms"},
    route{action::read_vm, "GET", "/api/v1/vms/{id}"},
    route{action::delete_vm, "DELETE", "/api/v1/vms/{id}"},
    route{action::start_vm, "POST", "/api/v1/vms/{id}/start"},
    route{action::stop_vm, "POST", "/api/v1/vms/{id}/stop"},
    route{action::pause_vm, "POST", "/api/v1/vms/{id}/pause"},
    route{action::resume_vm, "POST", "/api/v1/vms/{id}/resume"},
    route{action::migrate_vm, "POST", "/api/v1/vms/{id}/migrate"},
    route{action::list_migrations, "GET", "/api/v1/migrations"},
    route{action::read_migration, "GET", "/api/v1/migrations/{id}"},
    route{action::cancel_migration, "POST", "/api/v1/migrations/{id}/cancel"},
    route{action::list_operations, "GET", "/api/v1/operations"},
    route{action::read_operation, "GET", "/api/v1/operations/{id}"},
    route{action::list_hosts, "GET", "/api/v1/hosts"},
    route{action::read_host, "GET", "/api/v1/hosts/{id}"},
    route{action::fence_host, "POST", "/api/v1/hosts/{id}/fenced"},
    route{action::events, "GET", "/api/v1/events"},
    route{action::read_cluster, "GET", "/api/v1/cluster"},
    route{action::compare_states, "POST", "/api/v1/cluster/compare"},
    route{action::plan_vm, "POST", "/api/v1/vms:plan"},
    route{action::plan_move, "GET", "/api/v1/vms/{id}/plan"},
    route{action::cordon_host, "POST", "/api/v1/hosts/{id}/cordon"},
    route{action::uncordon_host, "POST", "/api/v1/hosts/{id}/uncordon"},
    route{action::drain_host, "POST", "/api/v1/hosts/{id}/drain"},
    route{action::read_drain, "GET", "/api/v1/hosts/{id}/drain"},
    route{action::evacuate_host, "POST", "/api/v1/hosts/{id}/evacuate"},
    route{action::read_drain, "GET", "/api/v1/hosts/{id}/evacuate"},
    route{action::list_tasks, "GET", "/api/v1/tasks"},
    route{action::read_task, "GET", "/api/v1/tasks/{id}"},
    route{action::cancel_task, "POST", "/api/v1/tasks/{id}/cancel"},
    route{action::rebalance, "POST", "/api/v1/cluster/rebalance"},
    route{action::list_nodes, "GET", "/api/v1/nodes"},
    route{action::read_node, "GET", "/api/v1/nodes/{id}"},
    route{action::promote_node, "POST", "/api/v1/nodes/{id}/promote"},
    route{action::demote_node, "POST", "/api/v1/nodes/{id}/demote"},
    route{action::remove_node, "POST", "/api/v1/nodes/{id}/remove"},
    route{action::replace_node, "POST", "/api/v1/nodes/{id}/replace"},
    route{action::create_join_token, "POST", "/api/v1/join-tokens"},
    route{action::join, "POST", "/api/v1/join", true, false, false},
    route{action::list_actors, "GET", "/api/v1/cluster/actors"},
    route{action::kill_actor, "POST", "/api/v1/chaos/kill"},
    route{action::health, "GET", "/health", true, true, false},
    route{action::ready, "GET", "/ready", true, true, false},
    route{action::metrics, "GET", "/metrics", false, true, false},
};

/// The id, or nothing if the path isn't the pattern's.
std::optional<std::string> fits(std::string_view pattern,
                                const std::vector<std::string>& segments) {
  std::string id;
  size_t i = 0;
  while (!pattern.empty()) {
    pattern.remove_prefix(1); // the slash
    auto end = std::min(pattern.find('/'), pattern.size());
    auto part = pattern.substr(0, end);
    pattern.remove_prefix(end);
    if (i == segments.size())
      return std::nullopt;
    if (part == "{id}")
      id = segments[i];
    else if (part != segments[i])
      return std::nullopt;
    ++i;
  }
  if (i != segments.size())
    return std::nullopt;
  return id;
}

} // namespace

std::span<const route> routes() {
  return table;
}

std::variant<match, no_match> find_route(listener door, std::string_view method,
                                         const request_target& target) {
  no_match none;
  for (const auto& each : table) {
    if (!(door == listener::api ? each.on_api : each.on_operators))
      continue;
    auto id = fits(each.path, target.segments);
    if (!id)
      continue;
    if (each.method == method)
      return match{&each, std::move(*id)};
    none.allow += (none.allow.empty() ? "" : ", ") + std::string{each.method};
  }
  return none;
}

} // namespace novacron
