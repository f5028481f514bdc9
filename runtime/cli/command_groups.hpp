#pragma once

#include "runtime/cli/client_session.hpp"

#include <functional>
#include <memory>

namespace CLI {
class App;
}

namespace novacron {

/// What the groups of commands need to mount themselves.
struct command_mount {
  std::shared_ptr<client_options> options;
  terminal where;
  std::function<int()>& chosen;

  /// Makes `run` the chosen command when `command` was parsed.
  void on(CLI::App* command, std::function<void(client_session&)> run) const;
};

/// node ls, promote, demote, remove, replace: beside `node`, which runs one.
void add_member_commands(CLI::App& app, const command_mount& mount);
/// cluster token, cluster join.
void add_join_commands(CLI::App& app, const command_mount& mount);
void add_vm_commands(CLI::App& app, const command_mount& mount);
/// migration, operation, host, cluster status, events.
void add_look_commands(CLI::App& app, const command_mount& mount);
/// vm plan, host cordon | uncordon | drain | evacuate, task, cluster rebalance; after the two
/// above, whose groups it adds to.
void add_maintenance_commands(CLI::App& app, const command_mount& mount);
/// actors, chaos kill.
void add_actor_commands(CLI::App& app, const command_mount& mount);

} // namespace novacron
