#include "runtime/node/node_command.hpp"

#include "runtime/certificates/own_certificate.hpp"
#include "runtime/certificates/pinned_files.hpp"
#include "runtime/errors.hpp"
#include "runtime/node/node.hpp"
#include "runtime/node/state_lock.hpp"
#include "runtime/telemetry/json_log.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace novacron {

namespace {

constexpr int cannot_start = 2;

[[noreturn]] void refuse(const failure& why) {
  std::fprintf(stderr, "novacron node: %s\n", why.message.c_str());
  ::_exit(cannot_start);
}

result<void> check_addresses(const node_config& config) {
  if (auto free = check_free(config.mesh.listen, "mesh.listen"); !free)
    return free;
  if (config.gateway) {
    // A shared one isn't free, and to listen there would take connections from the others.
    if (!config.gateway->share_port)
      if (auto free = check_free(config.gateway->listen, "gateway.listen"); !free)
        return free;
    if (const auto& operators = config.gateway->operator_listen)
      if (auto free = check_free(*operators, "gateway.operator_listen"); !free)
        return free;
  }
  if (config.host)
    return check_free(config.host->page_listen, "host.page_listen");
  return {};
}

result<void> check_command(const std::string& key, const std::vector<std::string>& command) {
  const auto& program = command.front();
  if (::access(program.c_str(), X_OK) == 0)
    return {};
  return make_failure(runtime_errc::configuration, "can't execute " + key + ", " + program + ": "
                                                       + std::strerror(errno)
                                                       + "; install it, or drop that key");
}

result<void> check_commands(const node_config& config) {
  if (config.controller.fence)
    if (auto there = check_command("controller.fence_command", config.controller.fence->command);
        !there)
      return there;
  if (config.gateway && config.gateway->scale_out)
    return check_command("gateway.scale_out_command", config.gateway->scale_out->command);
  return {};
}

} // namespace

void start_node(const std::filesystem::path& file, const config_overrides& overrides,
                const std::filesystem::path& program) {
  stop_signal stop;
  auto config = load_config(file, overrides);
  if (!config)
    refuse(config.error());
  auto identity = check_own_certificate(*config);
  if (!identity)
    refuse(identity.error());
  config->id = identity->node;
  auto cluster = read_cluster_id(config->cluster_file);
  if (!cluster)
    refuse(cluster.error());
  config->cluster = *cluster;
  auto lock = lock_node_folder(config->state);
  if (!lock)
    refuse(lock.error());
  if (auto free = check_addresses(*config); !free)
    refuse(free.error());
  if (auto there = check_commands(*config); !there)
    refuse(there.error());
  auto log = open_json_log(config->log, config->name);
  if (!log)
    refuse(log.error());
  auto ends = ends_of(config->tls);
  if (!ends)
    refuse(ends.error());
  auto pinned = pinned_files::of(config->tls);
  if (!pinned)
    refuse(pinned.error());
  config->tls = pinned->paths();
  const auto status = run_node({*config, program, logger{*log}, std::move(*ends)}, stop);
  (*log)->flush();
  // CAF waits for ever when a detached actor is stuck; what had to be kept is kept.
  ::_exit(status);
}

void add_node_command(CLI::App& app, const std::filesystem::path& program,
                      std::function<int()>& chosen) {
  struct node_options {
    std::filesystem::path file;
    config_overrides overrides;
  };
  auto options = std::make_shared<node_options>();
  auto* node = app.add_subcommand("node", "Run a node until SIGTERM; or look at nodes");
  node->require_subcommand(0, 1);
  auto* file = node->add_option("--config", options->file, "the node's file");
  node->add_option("--folder", options->overrides.folder,
                   "where relative paths start; otherwise at the file's folder");
  node->add_option("--set", options->overrides.settings,
                   "section.key=value; overrules the file; repeatable")
      ->expected(1)
      ->take_all();
  node->callback([options, program, node, file, &chosen] {
    if (!node->get_subcommands().empty())
      return; // which has chosen
    if (file->count() == 0)
      throw CLI::RequiredError{"--config"};
    chosen
        = [options, program]() -> int { start_node(options->file, options->overrides, program); };
  });
}

} // namespace novacron
