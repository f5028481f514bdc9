#include "runtime/cli/command_groups.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <ostream>

namespace novacron {

namespace {

namespace json = boost::json;

void add_hosts(CLI::App& app, const command_mount& mount) {
  auto* group = app.add_subcommand("host", "Machines that run guests");
  group->require_subcommand(1);
  group->fallthrough();
  mount.on(group->add_subcommand("ls", "List them"), [](client_session& session) {
    session.show_list(listed_thing::hosts, session.list("/api/v1/hosts"));
  });
  struct fenced_options {
    std::string host;
    bool off = false;
  };
  auto options = std::make_shared<fenced_options>();
  auto* fenced = group->add_subcommand(
      "fenced", "Say that an unreachable host is off: what ran there is started elsewhere");
  fenced->add_option("host", options->host, "Name or id")->required();
  fenced->add_flag("--it-is-off", options->off, "You have seen that it is off");
  mount.on(fenced, [options](client_session& session) {
    if (!options->off)
      session.fail(exit_status::refused,
                   "if the host is not off, its guests will run twice and write to their disks "
                   "twice\nswitch it off, then say so with --it-is-off");
    const auto plain = [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; };
    if (!std::ranges::all_of(options->host, plain))
      session.fail(exit_status::refused,
                   "no host is called " + options->host + "\nlist them with: novacron host ls");
    session.show_one(session.change("POST", "/api/v1/hosts/" + options->host + "/fenced",
                                    R"({"confirm":"off"})"));
  });
}

void add_migrations(CLI::App& app, const command_mount& mount) {
  auto* group = app.add_subcommand("migration", "Moves of running guests");
  group->require_subcommand(1);
  group->fallthrough();
  mount.on(group->add_subcommand("ls", "List them"), [](client_session& session) {
    session.show_list(listed_thing::migrations, session.list("/api/v1/migrations"));
  });
  auto id = std::make_shared<std::string>();
  auto* show = group->add_subcommand("show", "Show one");
  show->add_option("migration", *id, "Its id")->required();
  mount.on(show, [id](client_session& session) {
    session.show_one(session.read("/api/v1/migrations/" + *id));
  });
  auto* cancel = group->add_subcommand(
      "cancel", "End one that waits for its turn, or roll one back that isn't decided yet");
  cancel->add_option("migration", *id, "Its id")->required();
  mount.on(cancel, [id](client_session& session) {
    session.show_one(session.change("POST", "/api/v1/migrations/" + *id + "/cancel"));
  });
  auto timeout = std::make_shared<int>(300);
  auto* watch = group->add_subcommand("watch", "Show its progress until it is over");
  watch->add_option("migration", *id, "Its id")->required();
  watch->add_option("--timeout", *timeout, "In seconds")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
  mount.on(watch, [id, timeout](client_session& session) {
    auto migration = session.watch(*id, std::chrono::seconds{*timeout});
    session.show_one(migration);
    if (field_text(migration, "phase") != "done")
      session.fail(exit_status::refused,
                   "the migration was rolled back: " + field_text(migration, "reason")
                       + "\nthe guest runs on where it was; migrate it again");
  });
}

void add_operations(CLI::App& app, const command_mount& mount) {
  auto* group = app.add_subcommand("operation", "What became of a request");
  group->require_subcommand(1);
  group->fallthrough();
  auto id = std::make_shared<std::string>();
  auto* show = group->add_subcommand("show", "Show one");
  show->add_option("operation", *id, "Its id")->required();
  mount.on(show, [id](client_session& session) {
    session.show_one(session.read("/api/v1/operations/" + *id));
  });
}

/// Beside `cluster init` and its like, where those are.
void add_cluster(CLI::App& app, const command_mount& mount) {
  auto there = app.get_subcommands([](CLI::App* x) { return x->get_name() == "cluster"; });
  auto* group
      = there.empty() ? app.add_subcommand("cluster", "The cluster's replicas") : there.front();
  group->require_subcommand(1);
  group->fallthrough();
  auto* status = group->add_subcommand("status", "Who leads, who is there, how far each is");
  mount.on(status, [](client_session& session) {
    auto cluster = session.read("/api/v1/cluster");
    if (session.json())
      session.show_one(cluster);
    else
      session.where().out << render_cluster(cluster);
  });
  auto* compare = group->add_subcommand(
      "compare",
      "Let the replicas compare their states; `status` says up to where they are the same");
  mount.on(compare, [](client_session& session) {
    session.show_one(session.change("POST", "/api/v1/cluster/compare", {}));
  });
}

struct event_options {
  bool follow = false;
  std::optional<uint64_t> since;
};

void write_events(client_session& session, const json::value& events) {
  auto& out = session.where().out;
  if (auto* list = events.if_array())
    for (const auto& event : *list)
      out << (session.json() ? json::serialize(event) + '\n' : render_event(event));
  out.flush();
}

void add_events(CLI::App& app, const command_mount& mount) {
  auto options = std::make_shared<event_options>();
  auto* command = app.add_subcommand("events", "What has changed");
  command->add_flag("-f,--follow", options->follow, "Go on with what changes from now on");
  command->add_option("--since", options->since, "Start after this revision");
  mount.on(command, [options](client_session& session) {
    std::string path = "/api/v1/events";
    if (options->since)
      path += "?since=" + std::to_string(*options->since);
    if (!options->follow)
      return write_events(session, field(session.read(path), "items"));
    session.follow(path, [&session](const json::value& events) {
      write_events(session, events);
      return true;
    });
  });
}

} // namespace

void add_look_commands(CLI::App& app, const command_mount& mount) {
  add_hosts(app, mount);
  add_migrations(app, mount);
  add_operations(app, mount);
  add_cluster(app, mount);
  add_events(app, mount);
}

} // namespace novacron
