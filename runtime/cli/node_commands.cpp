#include "runtime/cli/command_groups.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

namespace novacron {

namespace {

namespace json = boost::json;

struct node_verb_options {
  std::string node;
  std::string successor;
  bool no_wait = false;
  int timeout = 300;
};

void run_verb(client_session& session, const std::string& verb, const node_verb_options& options) {
  std::string body;
  if (verb == "replace")
    body = json::serialize(json::object{{"with", options.successor}});
  auto node = session.change("POST", "/api/v1/nodes/" + options.node + '/' + verb, body);
  if (!options.no_wait)
    node = session.await_node(field_text(node, "id"), std::chrono::seconds{options.timeout});
  session.show_one(node);
}

void add_verb(CLI::App& group, const command_mount& mount, const std::string& verb,
              const std::string& help) {
  auto options = std::make_shared<node_verb_options>();
  auto* command = group.add_subcommand(verb, help);
  command->add_option("node", options->node, "Name or id")->required();
  if (verb == "replace")
    command->add_option("with", options->successor, "The node that takes its place")->required();
  command->add_flag("--no-wait", options->no_wait, "Don't wait until it is so");
  command->add_option("--timeout", options->timeout, "In seconds; it goes on all the same")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  mount.on(command,
           [options, verb](client_session& session) { run_verb(session, verb, *options); });
}

} // namespace

void add_member_commands(CLI::App& app, const command_mount& mount) {
  auto there = app.get_subcommands([](CLI::App* x) { return x->get_name() == "node"; });
  auto* group = there.empty() ? app.add_subcommand("node", "The cluster's nodes") : there.front();
  group->fallthrough();
  mount.on(group->add_subcommand("ls", "List them, and how the replicas stand"),
           [](client_session& session) {
             auto nodes = session.list("/api/v1/nodes");
             if (session.json())
               session.where().out << json::serialize(nodes) << '\n';
             else
               session.where().out << render_nodes(nodes);
           });
  add_verb(*group, mount, "promote", "Let a controller vote, once it has caught up");
  add_verb(*group, mount, "demote", "Make a voter a standby, which gets the log and doesn't vote");
  add_verb(*group, mount, "remove", "Take a node out for ever: its certificate counts no more");
  add_verb(*group, mount, "replace", "Let another controller vote in a node's place; remove that");
}

} // namespace novacron
