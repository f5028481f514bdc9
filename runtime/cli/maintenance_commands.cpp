#include "runtime/cli/command_groups.hpp"
#include "runtime/cli/render_placement.hpp"
#include "runtime/cli/vm_options.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/serialize.hpp>
#include <ostream>

namespace novacron {

namespace {

namespace json = boost::json;

void show(client_session& session, const json::value& document,
          std::string (*render)(const json::value&)) {
  if (session.json())
    session.show_one(document);
  else
    session.where().out << render(document);
}

/// Whether the command ends with the task that it begins, and how long it waits for that.
struct task_wait {
  bool wait = false;
  int timeout = 3'600;
};

void add_wait(CLI::App& command, task_wait& until) {
  command.add_flag("--wait", until.wait, "Until it has ended");
  command.add_option("--timeout", until.timeout, "Of --wait, in seconds")
      ->check(CLI::Range(1, 604'800))
      ->capture_default_str();
}

/// Shows a task at its end, or as it is; one that failed is the command's failure.
void finish(client_session& session, json::value task, const task_wait& until) {
  if (until.wait)
    task = session.await_task(field_text(task, "id"), std::chrono::seconds{until.timeout});
  show(session, task, render_task);
  if (until.wait && field_text(task, "state") != "finished")
    session.fail(exit_status::refused,
                 "the " + field_text(task, "kind") + " has " + field_text(task, "state")
                     + "\nsee the reasons above, and ask again when they are gone");
}

// -- vm plan -----------------------------------------------------------------------

void add_plan(CLI::App& vm, const command_mount& mount) {
  struct plan_options {
    std::string vm;
    vm_options wanted;
  };
  auto options = std::make_shared<plan_options>();
  auto* command = vm.add_subcommand("plan", "Where a VM would go, and why not elsewhere");
  command->add_option("vm", options->vm, "One that exists: why here, and where would it go?");
  command->add_option("--image", options->wanted.image, "Of a VM that doesn't exist yet");
  add_vm_options(*command, options->wanted);
  mount.on(command, [options](client_session& session) {
    if (options->vm.empty() == options->wanted.image.empty())
      session.fail(exit_status::unreachable,
                   "a plan is of a VM that exists, or of one that is described\n"
                   "name a VM, or give --image and what else it is to be");
    auto plan = options->vm.empty()
                    ? session.change("POST", "/api/v1/vms:plan",
                                     json::serialize(body_of(session, options->wanted)))
                    : session.read("/api/v1/vms/" + session.vm_id_of(options->vm) + "/plan");
    show(session, plan, render_plan);
  });
}

// -- host cordon, uncordon, drain, evacuate ----------------------------------------

void add_cordons(CLI::App& host, const command_mount& mount) {
  for (const std::string verb : {"cordon", "uncordon"}) {
    auto name = std::make_shared<std::string>();
    auto* command = host.add_subcommand(
        verb, verb == "cordon" ? "Give it no more VMs" : "Give it VMs again; calls off a drain");
    command->add_option("host", *name, "Name or id")->required();
    mount.on(command, [name, verb](client_session& session) {
      session.show_one(session.change("POST", "/api/v1/hosts/" + *name + '/' + verb));
    });
  }
}

void add_drain(CLI::App& host, const command_mount& mount) {
  struct drain_options {
    std::string host;
    std::string deadline;
    std::string then;
    int parallel = 2;
    bool show = false;
    task_wait until;
  };
  auto options = std::make_shared<drain_options>();
  auto* command = host.add_subcommand("drain", "Move its VMs elsewhere, and give it no more");
  command->add_option("host", options->host, "Name or id")->required();
  command->add_option("--deadline", options->deadline, "As in 90s, 10m or 2h");
  command->add_option("--then", options->then, "At the deadline: leave what is left, or stop it")
      ->check(CLI::IsMember({"leave", "stop"}));
  command->add_option("--parallel", options->parallel, "As many migrations at a time")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  command->add_flag("--show", options->show, "Only look how the latest drain gets on");
  add_wait(*command, options->until);
  mount.on(command, [options](client_session& session) {
    const auto path = "/api/v1/hosts/" + options->host + "/drain";
    if (options->show)
      return finish(session, session.read(path), options->until);
    json::object body{{"parallel", options->parallel}};
    if (!options->deadline.empty())
      body["deadline"] = options->deadline;
    if (!options->then.empty())
      body["then"] = options->then;
    finish(session, session.change("POST", path, json::serialize(body)), options->until);
  });
}

void add_evacuate(CLI::App& host, const command_mount& mount) {
  struct evacuate_options {
    std::string host;
    bool show = false;
    task_wait until;
  };
  auto options = std::make_shared<evacuate_options>();
  auto* command
      = host.add_subcommand("evacuate", "Place all VMs of a host that is off on other hosts");
  command->add_option("host", options->host, "Name or id")->required();
  command->add_flag("--show", options->show, "Only look how the latest evacuation gets on");
  add_wait(*command, options->until);
  mount.on(command, [options](client_session& session) {
    const auto path = "/api/v1/hosts/" + options->host + "/evacuate";
    finish(session, options->show ? session.read(path) : session.change("POST", path),
           options->until);
  });
}

// -- tasks, cluster rebalance ------------------------------------------------------

void add_tasks(CLI::App& app, const command_mount& mount) {
  auto* group = app.add_subcommand("task", "Drains, evacuations and rebalances");
  group->require_subcommand(1);
  group->fallthrough();
  mount.on(group->add_subcommand("ls", "List them"), [](client_session& session) {
    auto tasks = session.list("/api/v1/tasks");
    if (session.json())
      session.where().out << json::serialize(tasks) << '\n';
    else
      session.where().out << render_tasks(tasks);
  });
  auto id = std::make_shared<std::string>();
  auto* shown = group->add_subcommand("show", "Show one");
  shown->add_option("task", *id, "Its id")->required();
  mount.on(shown, [id](client_session& session) {
    show(session, session.read("/api/v1/tasks/" + *id), render_task);
  });
  auto* cancel = group->add_subcommand("cancel", "End one; what is under way goes on");
  cancel->add_option("task", *id, "Its id")->required();
  mount.on(cancel, [id](client_session& session) {
    show(session, session.change("POST", "/api/v1/tasks/" + *id + "/cancel"), render_task);
  });
}

void add_rebalance(CLI::App& cluster, const command_mount& mount) {
  struct rebalance_options {
    bool plan = false;
    int moves = 4;
    int spread = 20;
    task_wait until;
  };
  auto options = std::make_shared<rebalance_options>();
  auto* command
      = cluster.add_subcommand("rebalance", "One round of migrations to load hosts alike");
  command->add_flag("--plan", options->plan, "Only say what would be moved");
  command->add_option("--moves", options->moves, "At most")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--spread", options->spread, "Loads may differ by so many percent")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  add_wait(*command, options->until);
  mount.on(command, [options](client_session& session) {
    json::object body{
        {"plan", options->plan}, {"moves", options->moves}, {"spread_percent", options->spread}};
    auto answer = session.change("POST", "/api/v1/cluster/rebalance", json::serialize(body));
    if (field_text(answer, "kind").empty()) // a plan, or nothing to do
      return show(session, answer, render_rebalance);
    finish(session, answer, options->until);
  });
}

} // namespace

void add_maintenance_commands(CLI::App& app, const command_mount& mount) {
  add_plan(*app.get_subcommand("vm"), mount);
  add_cordons(*app.get_subcommand("host"), mount);
  add_drain(*app.get_subcommand("host"), mount);
  add_evacuate(*app.get_subcommand("host"), mount);
  add_tasks(app, mount);
  add_rebalance(*app.get_subcommand("cluster"), mount);
}

} // namespace novacron
