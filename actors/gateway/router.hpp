#pragma once

#include "actors/gateway/target.hpp"

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace novacron {

/// What a request asks for.
enum class action : uint8_t {
  list_vms,
  create_vm,
  read_vm,
  delete_vm,
  start_vm,
  stop_vm,
  pause_vm,
  resume_vm,
  migrate_vm,
  list_migrations,
  read_migration,
  cancel_migration,
  list_operations,
  read_operation,
  list_hosts,
  read_host,
  events,
  read_cluster,
  compare_states,
  list_actors,
  kill_actor,
  plan_vm,
  plan_move,
  cordon_host,
  uncordon_host,
  drain_host,
  evacuate_host,
  read_drain,
  list_tasks,
  read_task,
  cancel_task,
  rebalance,
  health,
  ready,
  metrics,
  fence_host,
  list_nodes,
  read_node,
  promote_node,
  demote_node,
  remove_node,
  replace_node,
  create_join_token,
  join,
};

/// Who may come by which listener.
enum class listener : uint8_t { api, operators };

struct route {
  action what = action::health;
  std::string_view method;
  std::string_view path; ///< "{id}" stands for any segment
  bool on_api = true;
  bool on_operators = false;
  bool token = true; ///< must be shown
};

struct match {
  const route* found = nullptr;
  std::string id; ///< what stood for "{id}"
};

std::span<const route> routes();

/// The route of a request, or 404, or 405 with `allow` naming the methods that
/// would do, separated by ", ".
struct no_match {
  std::string allow; ///< empty: no such path
};
std::variant<match, no_match> find_route(listener door, std::string_view method,
                                         const request_target& target);

} // namespace novacron
