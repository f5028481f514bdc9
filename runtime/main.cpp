#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/fencer/fencer_arguments.hpp"
#include "hypervisor/simulated/machine.hpp"
#include "runtime/backup/backup_commands.hpp"
#include "runtime/certificates/cluster_commands.hpp"
#include "runtime/cli/client_commands.hpp"
#include "runtime/demo/demo_command.hpp"
#include "runtime/node/node_command.hpp"
#include "runtime/node/recover_command.hpp"
#include "runtime/version.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <unistd.h>

namespace {

constexpr int wrong_use = 2;

/// Fencers and simulated machines are started by nodes, not by people, and read
/// their own arguments.
template <class Config>
int serve(novacron::result<Config> config, int (*run)(const Config&)) {
  if (config)
    return run(*config);
  std::fprintf(stderr, "novacron: %s\n", config.error().message.c_str());
  return wrong_use;
}

int commands(int argc, char** argv) {
  const auto program = std::filesystem::read_symlink("/proc/self/exe");
  std::function<int()> chosen;
  CLI::App app{"novacron: a cluster runtime for virtual machines"};
  app.require_subcommand(1);
  novacron::add_node_command(app, program, chosen);
  novacron::add_cluster_commands(app, chosen);
  novacron::add_recover_command(app, chosen);
  novacron::add_backup_commands(app, chosen);
  novacron::add_client_commands(app, chosen, {std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1});
  novacron::add_demo_command(app, program, chosen);
  app.add_subcommand("version", "Say which version this is")->callback([] {
    std::printf("novacron %s\n", novacron::version);
  });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& why) {
    return app.exit(why) == 0 ? 0 : wrong_use;
  }
  return chosen ? chosen() : 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments{argv + std::min(argc, 1), argv + argc};
    const std::string first = arguments.empty() ? "" : arguments.front();
    if (first == "fencer")
      return serve(novacron::parse_fencer_arguments(arguments), novacron::run_fencer);
    if (first == "simulated-machine")
      return serve(novacron::parse_machine_arguments(arguments), novacron::run_machine);
    return commands(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "novacron: %s\n", error.what());
    return 1;
  }
}
