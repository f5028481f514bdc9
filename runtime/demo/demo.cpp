#include "runtime/demo/demo.hpp"

#include "runtime/demo/leftovers.hpp"
#include "runtime/demo/story.hpp"
#include "runtime/node/stop_signal.hpp"

#include <cstdio>
#include <fstream>
#include <future>
#include <unistd.h>

namespace novacron {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds start_limit{40};
constexpr std::chrono::seconds stop_limit{15};
constexpr int cannot_begin = 2;
constexpr int interrupted = 130;

/// Steps 1 and 2, then the others.
result<void> play(story& x) {
  x.out.step(1, "novacron cluster init: a CA, a certificate for each node, an admin token");
  if (auto made = x.cluster.init(); !made)
    return made;
  x.out.say("in " + (x.options.folder / "cluster").string());
  x.out.step(2, "Three nodes: node-1 is controller, gateway and host; node-2 and node-3 are hosts");
  if (auto started = x.cluster.start(start_limit); !started)
    return started;
  x.census = std::make_unique<process_census>(x.cluster.finder());
  auto hosts = x.cluster.await(
      "/api/v1/hosts", [](const auto&) { return true; }, start_limit);
  if (!hosts)
    return hosts.error();
  for (const auto& host : field(*hosts, "items").as_array()) {
    x.summary.accelerator = field_text(host, "accelerator");
    x.out.say(field_text(host, "name") + " is up: process "
              + std::to_string(x.cluster.nodes().pid(field_text(host, "name"))) + ", "
              + field_text(host, "hypervisor"));
    if (const auto why = field_text(host, "live_migration_problem"); !why.empty())
      x.out.say("  it can't migrate guests: " + why);
  }
  return tell(x);
}

/// As a shell takes it for one word.
std::string word(const std::string& text) {
  if (text.find_first_of(" \t'\"\\$&;|<>()*?[]#~`!{}") == std::string::npos)
    return text;
  std::string quoted = "'";
  for (char c : text)
    quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return quoted + '\'';
}

void keep_running(const story& x, stop_signal& stop) {
  const auto ask = word(x.options.program.string()) + " --url " + x.cluster.url() + " --token-file "
                   + word(x.cluster.token_file().string());
  std::printf("\nThe cluster stays up until Ctrl-C.\n  URL    %s\n  token  %s\nTry:\n"
              "  %s host ls\n"
              "  %s vm create web --memory 128 --image tick\n"
              "  %s events\n",
              x.cluster.url().c_str(), x.cluster.token_file().c_str(), ask.c_str(), ask.c_str(),
              ask.c_str());
  std::fflush(stdout);
  stop.wait();
}

void end_everything(story& x) {
  for (const auto& name : x.cluster.nodes().stop_all(stop_limit))
    x.out.say(name + " did not stop in time and was killed");
  for (const auto& what : end_leftovers(x.options.folder, x.cluster.ids()))
    if (what != "fencer" && what != "simulated-machine")
      x.out.say("had to end a " + what);
  x.out.say("everything that was started has ended");
}

/// What was found out. Returns the exit status.
int conclude(const story& x) {
  const auto wrong = failed_checks(x.summary);
  std::ofstream{x.options.folder / "summary.json"} << to_json(x.summary) << '\n';
  std::printf("\n%s\nsummary: %s\n", to_table(x.summary).c_str(),
              (x.options.folder / "summary.json").c_str());
  for (const auto& why : wrong)
    std::printf("FAILED: %s\n", why.c_str());
  std::printf("%s\n", wrong.empty() ? "All checks hold." : "Nodes' logs are beside the summary.");
  std::fflush(stdout);
  return wrong.empty() ? 0 : 1;
}

int refuse(const std::string& why) {
  std::fprintf(stderr, "novacron demo: %s\n", why.c_str());
  return cannot_begin;
}

/// Absolute paths, since nodes and hypervisors have other working folders.
void complete(demo_options& options) {
  options.folder = fs::absolute(options.folder).lexically_normal();
  if (!options.folder.has_filename())
    options.folder = options.folder.parent_path();
  if (options.guest.empty())
    options.guest = options.program.parent_path().parent_path() / "guest";
  options.guest = fs::absolute(options.guest).lexically_normal();
  options.configs = fs::absolute(options.configs);
}

/// Says what it will be: real or simulated guests, and why.
void announce(const demo_options& options, bool simulated, const std::string& missing) {
  if (!simulated)
    std::printf("novacron demo: real guests, run by QEMU under libvirt\n");
  else
    std::printf("novacron demo: SIMULATED guests, no QEMU runs: %s\n",
                options.driver == demo_driver::simulated ? "as asked for" : missing.c_str());
  std::fflush(stdout);
}

/// Plays the story in a thread of its own; a signal to stop ends everything.
void play_unless_stopped(story& x, stop_signal& stop) {
  auto told = std::async(std::launch::async, [&x] { return play(x); });
  while (told.wait_for(std::chrono::milliseconds{0}) != std::future_status::ready)
    if (auto why = stop.wait_for(std::chrono::milliseconds{100})) {
      x.out.say(*why + ": ending everything");
      end_everything(x);
      std::fflush(stdout);
      ::_exit(interrupted);
    }
  if (auto end = told.get(); !end) {
    x.summary.problems.push_back(end.error().message);
    x.out.say("the story ends here: " + end.error().message);
    if (x.ticks)
      note_ticks(x, false);
  }
  if (x.census) {
    const auto seen = x.census->result();
    x.summary.doubled_processes = seen.duplicates;
    x.summary.qemu_tcp_sockets = seen.tcp_sockets;
  }
}

} // namespace

int run_demo(demo_options options) {
  if (const auto wrong = wrong_option(options); !wrong.empty())
    return refuse(wrong);
  complete(options);
  const auto missing = why_not_libvirt(options);
  if (options.driver == demo_driver::libvirt && !missing.empty())
    return refuse(missing);
  const bool simulated = options.driver == demo_driver::simulated || !missing.empty();
  stop_signal stop;
  if (is_demo_folder(options.folder))
    end_leftovers(options.folder, nodes_of_cluster(options.folder / "cluster"));
  demo_cluster cluster{options, simulated};
  if (const auto busy = cluster.busy_address(); !busy.empty())
    return refuse(busy);
  if (auto made = make_demo_folder(options.folder); !made)
    return refuse(made.error().message);
  announce(options, simulated, missing);
  stage out;
  story x{options, out, cluster, {}, plan_guest(options), {}, {}, {}};
  x.summary.driver = simulated ? "simulated" : "qemu";
  x.summary.nodes = demo_cluster::names.size();
  play_unless_stopped(x, stop);
  if (!options.keep || !x.census) {
    end_everything(x);
    return conclude(x);
  }
  const auto status = conclude(x);
  keep_running(x, stop);
  end_everything(x);
  return status;
}

} // namespace novacron
