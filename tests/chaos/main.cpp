// Chaos on real processes: see README.md.

#include "chaos_run.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

using namespace novacron;
using namespace novacron::chaos;

namespace {

namespace fs = std::filesystem;

constexpr unsigned short_form_minutes = 10; ///< less than so many: each fault once

std::atomic<bool>& cancelled() {
  static std::atomic<bool> asked{false};
  return asked;
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream{file} << text << '\n';
}

/// Why there can be no real guests; empty: there can.
std::string why_no_real_guests(const lab_options& where) {
  for (const fs::path& file :
       {fs::path{"/usr/sbin/libvirtd"}, fs::path{"/usr/bin/qemu-system-x86_64"},
        where.guest / "vmlinuz", where.guest / "initrd.gz"})
    if (!fs::exists(file))
      return file.string() + " is missing";
  return {};
}

std::string repeat_command(const chaos_options& options, unsigned minutes,
                           const std::string& guests) {
  return "make chaos SEED=" + std::to_string(options.where.seed)
         + " CHAOS_MINUTES=" + std::to_string(minutes) + " CHAOS_ARGS=\"--guests " + guests
         + (options.only.empty() ? "" : " --only '" + options.only + "'") + '"';
}

int run(chaos_options& options, unsigned minutes, const fs::path& results,
        const std::string& guests) {
  options.lasts = std::chrono::minutes{minutes};
  options.short_form = minutes < short_form_minutes;
  if (guests != "simulated") {
    const auto why = why_no_real_guests(options.where);
    if (!why.empty() && guests == "real")
      throw std::runtime_error{"there can be no real guests: " + why};
    if (!why.empty())
      std::cout << "all guests are simulated: " << why << '\n';
    options.where.real = why.empty();
  }
  chaos_summary summary;
  {
    chaos_run story{options, std::cout, cancelled()};
    summary = story.run();
  }
  write(results / "summary.json", to_json(summary));
  write(results / "report.md", to_markdown(summary));
  std::cout << "\nsummary: " << (results / "summary.json").string()
            << "\nreport:  " << (results / "report.md").string() << '\n'
            << summary.acknowledged_writes << " acknowledged writes, " << summary.writes_lost.size()
            << " lost; " << summary.duplicate_runs.size() << " duplicate runs; "
            << summary.operations_stuck.size() << " operations stuck; "
            << summary.other_violations.size() << " other violations; " << summary.actors_killed()
            << " actors killed; availability " << summary.availability() << '\n';
  const auto late = beyond_limits(summary);
  std::cout << late;
  // Where each fault comes once there is no median to speak of.
  if (summary.all_holds() && (options.short_form || late.empty())) {
    std::cout << "All promises hold.\n";
    return 0;
  }
  std::cout << "Promises were broken" << (summary.all_holds() ? ", those about time" : "")
            << ". The nodes' logs are in " << options.where.folder.string()
            << "; the same faults in the same order:\n  "
            << repeat_command(options, minutes, guests) << '\n';
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  chaos_options options;
  options.where.program = NOVACRON_PROGRAM;
  options.where.guest = NOVACRON_GUEST_FOLDER;
  options.where.bad_disk = NOVACRON_BAD_DISK;
  options.where.link_detour = NOVACRON_LINK_DETOUR;
  unsigned minutes = 35;
  fs::path results = "build/chaos";
  std::string guests = "auto";
  uint64_t seed = 0;
  CLI::App app{"Faults on the processes of a cluster, one after the other and mixed"};
  app.add_option("--minutes", minutes, "how long, about; below 10: each fault once")
      ->capture_default_str();
  app.add_option("--seed", seed, "gives the order of the faults; 0: by chance");
  app.add_option("--guests", guests, "auto, real (on node-6) or simulated")
      ->check(CLI::IsMember({"auto", "real", "simulated"}));
  app.add_option("--results", results, "folder of summary.json and report.md")
      ->capture_default_str();
  app.add_option("--faults", options.faults, "what goes wrong")->capture_default_str();
  app.add_option("--only", options.only, "faults whose names hold this");
  app.add_option("--program", options.where.program, "novacron");
  app.add_option("--users", options.user_count)->capture_default_str();
  app.add_option("--actor-kills", options.actor_kills, "of the whole form")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  options.where.seed = seed != 0 ? seed : std::random_device{}();
  options.where.folder = results / "cluster";
  std::signal(SIGINT, [](int) { cancelled() = true; });
  std::signal(SIGTERM, [](int) { cancelled() = true; });
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(options, minutes, results, guests);
  } catch (const std::exception& error) {
    std::cerr << "chaos: " << error.what() << '\n';
    return 2;
  }
}
