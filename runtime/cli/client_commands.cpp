#include "runtime/cli/client_commands.hpp"

#include "runtime/cli/command_groups.hpp"

#include <CLI/CLI.hpp>

namespace novacron {

void command_mount::on(CLI::App* command, std::function<void(client_session&)> run) const {
  command->fallthrough(); // --url and the like may stand behind the command
  command->callback([options = options, where = where, &chosen = chosen, run = std::move(run)] {
    chosen = [options, where, run] {
      try {
        client_session session{*options, where};
        run(session);
        return static_cast<int>(exit_status::done);
      } catch (const command_ended& end) {
        return static_cast<int>(end.status);
      }
    };
  });
}

void add_client_commands(CLI::App& app, std::function<int()>& chosen, terminal where) {
  auto options = std::make_shared<client_options>();
  app.add_option("--url", options->url, "A gateway, as in http://127.0.0.1:7180")
      ->envname("NOVACRON_URL")
      ->capture_default_str();
  app.add_option("--token-file", options->token_file, "The file that holds your token")
      ->envname("NOVACRON_TOKEN_FILE");
  app.add_option("-o,--output", options->output, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  command_mount mount{options, where, chosen};
  add_vm_commands(app, mount);
  add_look_commands(app, mount);
  add_maintenance_commands(app, mount);
  add_member_commands(app, mount);
  add_join_commands(app, mount);
  add_actor_commands(app, mount);
}

} // namespace novacron
