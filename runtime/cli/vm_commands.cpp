#include "runtime/cli/command_groups.hpp"
#include "runtime/cli/vm_options.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace novacron {

namespace {

namespace json = boost::json;

constexpr int default_timeout_seconds = 300;

struct create_options {
  std::string name;
  vm_options wanted;
};

struct verb_options {
  std::string vm;
  std::string to;
  std::string intent;
  std::string priority;
  int longest_pause_ms = 0;
  int longest_seconds = 0;
  int tries = 0;
  bool wait = false;
  int timeout = default_timeout_seconds;
};

void create(client_session& session, const create_options& options) {
  json::object body{{"name", options.name}};
  for (const auto& [key, value] : body_of(session, options.wanted))
    body[key] = value;
  session.show_one(session.change("POST", "/api/v1/vms", json::serialize(body)));
}

void run_verb(client_session& session, const std::string& verb, const verb_options& options) {
  auto path = "/api/v1/vms/" + session.vm_id_of(options.vm);
  json::object body;
  if (!options.to.empty())
    body["to"] = options.to;
  if (!options.intent.empty())
    body["intent"] = options.intent;
  if (!options.priority.empty())
    body["priority"] = options.priority;
  if (options.longest_pause_ms != 0)
    body["max_pause_ms"] = options.longest_pause_ms;
  if (options.longest_seconds != 0)
    body["max_seconds"] = options.longest_seconds;
  if (options.tries != 0)
    body["tries"] = options.tries;
  auto operation = verb == "rm" ? session.change("DELETE", path)
                                : session.change("POST", path + '/' + verb,
                                                 body.empty() ? "" : json::serialize(body));
  if (options.wait)
    operation = session.wait_for(operation, std::chrono::seconds{options.timeout});
  session.show_one(operation);
}

void add_create(CLI::App& group, const command_mount& mount) {
  auto options = std::make_shared<create_options>();
  auto* command = group.add_subcommand("create", "Make a VM, stopped");
  command->add_option("name", options->name, "Its name")->required();
  command
      ->add_option("--image", options->wanted.image, "An image of the hosts (see: host ls -o json)")
      ->required();
  add_vm_options(*command, options->wanted);
  mount.on(command, [options](client_session& session) { create(session, *options); });
}

void add_migrate_options(CLI::App& command, verb_options& options) {
  command.add_option("--to", options.to, "A host's name or id; else the scheduler chooses");
  command.add_option("--intent", options.intent,
                     "gentle: the guest is never slowed down; downtime: it stands still as shortly "
                     "as can be; speed: it is over soon");
  command.add_option("--max-pause", options.longest_pause_ms,
                     "How long the guest may stand still, in ms; else as the intent says");
  command.add_option("--max-time", options.longest_seconds,
                     "Begun so many seconds ago and not over, it stays where it was");
  command.add_option("--priority", options.priority,
                     "low, normal or high: who goes first where migrations wait for their turn");
  command.add_option("--tries", options.tries,
                     "Try it so many times, 5 s later at first, while what ended it may pass");
}

void add_verb(CLI::App& group, const command_mount& mount, const std::string& verb,
              const std::string& help) {
  auto options = std::make_shared<verb_options>();
  auto* command = group.add_subcommand(verb, help);
  command->add_option("vm", options->vm, "Name or id")->required();
  if (verb == "migrate")
    add_migrate_options(*command, *options);
  command->add_flag("--wait", options->wait, "Until the operation has ended");
  command->add_option("--timeout", options->timeout, "Of --wait, in seconds")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  mount.on(command,
           [options, verb](client_session& session) { run_verb(session, verb, *options); });
}

} // namespace

void add_vm_commands(CLI::App& app, const command_mount& mount) {
  auto* group = app.add_subcommand("vm", "Virtual machines");
  group->require_subcommand(1);
  group->fallthrough();
  mount.on(group->add_subcommand("ls", "List them"), [](client_session& session) {
    session.show_list(listed_thing::vms, session.list("/api/v1/vms"));
  });
  auto shown = std::make_shared<std::string>();
  auto* show = group->add_subcommand("show", "Show one");
  show->add_option("vm", *shown, "Name or id")->required();
  mount.on(show, [shown](client_session& session) {
    session.show_one(session.read("/api/v1/vms/" + session.vm_id_of(*shown)));
  });
  add_create(*group, mount);
  add_verb(*group, mount, "start", "Run the guest");
  add_verb(*group, mount, "stop", "End the guest");
  add_verb(*group, mount, "pause", "Halt the guest, keeping its memory");
  add_verb(*group, mount, "resume", "Let a paused guest go on");
  add_verb(*group, mount, "migrate", "Move the running guest to another host");
  add_verb(*group, mount, "rm", "End the guest and delete the VM");
}

} // namespace novacron
