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
constexpr uint64_t least_memory_mib = 96; ///< for a Debian kernel and its initramfs
constexpr int highest_port_offset = 90;
constexpr int cannot_begin = 2;
constexpr int interrupted = 130;

/// Why real guests can't be had; empty when they can.
std::string why_not_libvirt(const demo_options& options) {
  for (const auto* program : {"/usr/sbin/libvirtd", "/usr/bin/qemu-system-x86_64"})
    if (!fs::exists(program))
      return std::string{program} + " is missing; run .ci/install";
  for (const auto* file : {"vmlinuz", "initrd.gz"})
    if (!fs::exists(options.guest / file))
      return (options.guest / file).string() + " is missing; build the target guest_image";
  return {};
}

std::string wrong_option(const demo_options& options) {
  if (options.port < 1'024 || options.port + highest_port_offset > 65'535)
    return "--port " + std::to_string(options.port) + " is out of range; take 1024 to 65445";
  if (options.guest_memory_mib < least_memory_mib)
    return "--guest-memory " + std::to_string(options.guest_memory_mib)
           + " is too little for a Debian kernel; take 96 or more";
  return {};
}

/// Steps 1 and 2, then the others.
result<void> play(story& x) {
  x.out.step(1, "novacron cluster init: a CA, a certificate for each node, an admin token");
  if (auto made = x.cluster.init(); !made)
    return made;
  x.out.say("in " + (x.options.folder / "cluster").string());
  x.out.step(2, "Three nodes: node-1 is controller, gateway and host; node-2 and node-3 are hosts");
  if (auto started = x.cluster.start(start_limit); !started)
    return started;
  x.census = std::make_unique<process_census>(x.cluster.ids());
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

void keep_running(const story& x, stop_signal& stop) {
  const auto ask = x.options.program.string() + " --url " + x.cluster.url() + " --token-file "
                   + x.cluster.token_file().string();
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
  x.census.reset();
  for (const auto& name : x.cluster.nodes().stop_all(stop_limit))
    x.out.say(name + " did not stop in time and was killed");
  for (const auto& what : end_leftovers(x.options.folder, x.cluster.ids()))
    if (what != "fencer")
      x.out.say("had to end a " + what);
  x.out.say("everything that was started has ended");
}

int conclude(const story& x) {
  const auto wrong = failed_checks(x.summary);
  std::ofstream{x.options.folder / "summary.json"} << to_json(x.summary) << '\n';
  std::printf("\n%s\nsummary: %s\n", to_table(x.summary).c_str(),
              (x.options.folder / "summary.json").c_str());
  if (x.simulated)
    std::printf("Guests were simulated: no QEMU ran.\n");
  for (const auto& why : wrong)
    std::printf("FAILED: %s\n", why.c_str());
  std::printf("%s\n", wrong.empty() ? "All checks hold." : "Nodes' logs are beside the summary.");
  return wrong.empty() ? 0 : 1;
}

} // namespace

int run_demo(demo_options options) {
  options.folder = fs::absolute(options.folder).lexically_normal();
  if (!options.folder.has_filename())
    options.folder = options.folder.parent_path();
  if (options.guest.empty())
    options.guest = options.program.parent_path().parent_path() / "guest";
  options.guest = fs::absolute(options.guest).lexically_normal();
  options.configs = fs::absolute(options.configs);
  const auto missing = why_not_libvirt(options);
  const bool simulated = options.driver == demo_driver::simulated
                         || (options.driver == demo_driver::automatic && !missing.empty());
  if (!simulated)
    std::printf("novacron demo: real guests, run by QEMU under libvirt\n");
  else
    std::printf("novacron demo: SIMULATED guests%s\n",
                missing.empty() ? ", as asked for" : (": " + missing).c_str());
  auto wrong = wrong_option(options);
  if (options.driver == demo_driver::libvirt && !missing.empty())
    wrong = missing;
  if (!wrong.empty()) {
    std::fprintf(stderr, "novacron demo: %s\n", wrong.c_str());
    return cannot_begin;
  }
  stop_signal stop;
  end_leftovers(options.folder, nodes_of_cluster(options.folder / "cluster"));
  if (auto made = make_demo_folder(options.folder); !made) {
    std::fprintf(stderr, "novacron demo: %s\n", made.error().message.c_str());
    return cannot_begin;
  }
  stage out;
  demo_cluster cluster{options, simulated};
  story x{options, out, cluster, {}, simulated, {}, {}, {}};
  x.summary.driver = simulated ? "simulated" : "qemu";
  x.summary.nodes = demo_cluster::names.size();
  auto told = std::async(std::launch::async, [&x] { return play(x); });
  while (told.wait_for(std::chrono::milliseconds{0}) != std::future_status::ready)
    if (auto why = stop.wait_for(std::chrono::milliseconds{100})) {
      out.say(*why + ": ending everything");
      end_everything(x);
      std::fflush(stdout);
      ::_exit(interrupted);
    }
  if (auto end = told.get(); !end) {
    x.summary.problems.push_back(end.error().message);
    out.say("the story ends here: " + end.error().message);
    if (x.ticks)
      note_ticks(x, false);
  }
  if (x.census) {
    const auto seen = x.census->result();
    x.summary.doubled_processes = seen.duplicates;
    x.summary.qemu_tcp_sockets = seen.tcp_sockets;
  }
  if (options.keep)
    keep_running(x, stop);
  end_everything(x);
  return conclude(x);
}

} // namespace novacron
