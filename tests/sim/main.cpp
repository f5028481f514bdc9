// Runs schedules, and says which seeds break a promise.

#include "actors/actor_cluster.hpp"
#include "schedule.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sys/time.h>
#include <unistd.h>

using namespace novacron;
using namespace novacron::sim;

namespace {

/// A schedule takes milliseconds, with actors seconds; one that computes for so long hangs.
constexpr unsigned most_seconds(unsigned layer) {
  return layer == 1 ? 60 : 300;
}

/// As much of the clock on the wall: on a machine that has better to do it may wait for its turn,
/// but one that waits for a lock computes nothing.
constexpr unsigned most_times_as_long = 20;

constexpr uint64_t most_in_crowd_of_actors = 20;
constexpr std::chrono::seconds progress_every{10};

struct options {
  uint64_t seeds = 100;
  uint64_t first = 1;
  unsigned layer = 1;
  std::string scenarios = "tests/sim/scenarios";
  std::string only;
  std::string summary = "build/sim/summary.json";
  std::vector<std::string> without;
  bool once = false;
  uint64_t least_probes = 0;
  bool keep_going = false;
  bool story = false;
};

/// The switches of --without; each takes one guard away.
bool take_away(scenario& weather, const std::string& what) {
  auto& from = weather.replica;
  const std::map<std::string, bool*> switches{{"G1", &from.guards.stale_term},
                                              {"G2", &from.guards.denied_pre_vote},
                                              {"G3", &from.guards.stale_rejection},
                                              {"G4", &from.guards.rebase},
                                              {"G5", &from.guards.split},
                                              {"G6", &from.guards.own_term_first},
                                              {"G8", &from.guards.silent_leader},
                                              {"G10", &from.guards.term_of_one},
                                              {"G11", &from.guards.standby_votes},
                                              {"G12", &from.guards.own_change_first},
                                              {"G13", &from.guards.late_votes},
                                              {"sync-before-ack", &from.guards.sync_before_ack},
                                              {"apply-only-stored", &from.guards.apply_only_stored},
                                              {"vote-durability", &from.sync_votes},
                                              {"fencer", &weather.fleet.fencer.fences},
                                              {"lease-margin", &weather.fleet.lease_margin}};
  auto found = switches.find(what);
  if (found == switches.end())
    return false;
  *found->second = false;
  return true;
}

std::vector<scenario> load(const options& from) {
  std::vector<std::filesystem::path> files;
  for (const auto& each : std::filesystem::directory_iterator{from.scenarios})
    if (each.path().extension() == ".toml"
        && (from.only.empty() || each.path().stem() == from.only))
      files.push_back(each.path());
  std::sort(files.begin(), files.end());
  std::vector<scenario> all;
  for (const auto& file : files) {
    auto one = scenario::load(file);
    all.push_back(std::move(one));
    if (from.layer == 2) // whose frontends have room for thousands
      all.back().fleet.crowd = std::min(all.back().fleet.crowd, most_in_crowd_of_actors);
    if (auto& net = all.back().net; from.layer == 2 && !net.in_order) {
      std::cout << all.back().name << ": nothing overtakes, as connections keep the order\n";
      net.in_order = true;
    }
    for (const auto& each : from.without)
      if (!take_away(all.back(), each))
        throw std::runtime_error{"there is no guard " + each};
  }
  if (all.empty())
    throw std::runtime_error{"no scenario in " + from.scenarios};
  return all;
}

/// How to see a seed fail again.
std::string replay(const options& from, const scenario& weather, uint64_t seed) {
  auto text = "build/release/tests/sim/sim --first " + std::to_string(seed)
              + " --seeds 1 --scenario " + weather.name;
  if (from.layer != 1)
    text += " --layer " + std::to_string(from.layer);
  for (const auto& each : from.without)
    text += " --without " + each;
  return text;
}

/// The schedule that is running, for `say_which`.
char running_now[256];

/// A core that is no longer itself may crash; the seed must be known all the same.
void say_which(int signal_number) {
  [[maybe_unused]] auto written = ::write(STDOUT_FILENO, running_now, std::strlen(running_now));
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

/// From now on: the process's own time by SIGVTALRM, and the wall's by SIGALRM.
void limit_time(unsigned seconds) {
  const itimerval own{{0, 0}, {static_cast<time_t>(seconds), 0}};
  ::setitimer(ITIMER_VIRTUAL, &own, nullptr);
  ::alarm(seconds * most_times_as_long);
}

/// What the processes of a schedule are made of.
schedule::cluster_maker maker(const options& wanted, const scenario& weather, identities& who) {
  if (wanted.layer == 1)
    return schedule::make_modelled_cluster;
  return [&](world& all, const fleet_settings& how) {
    return std::make_unique<actor_cluster>(all, how, weather.net, who);
  };
}

int run(const options& wanted) {
  for (auto each : {SIGSEGV, SIGBUS, SIGABRT, SIGTERM, SIGALRM, SIGVTALRM})
    std::signal(each, say_which);
  const auto scenarios = load(wanted);
  identities who;
  probes seen;
  uint64_t failures = 0;
  uint64_t schedules = 0;
  uint64_t applied = 0;
  const auto began = std::chrono::steady_clock::now();
  auto progress_due = began + progress_every;
  for (auto seed = wanted.first; seed < wanted.first + wanted.seeds; ++seed) {
    if (const auto now = std::chrono::steady_clock::now(); now >= progress_due) {
      progress_due = now + progress_every;
      std::cerr << "sim: " << seed - wanted.first << " of " << wanted.seeds << " seeds, "
                << failures << " failures" << std::endl;
    }
    // A seed is one schedule: scenarios take turns.
    const auto& weather = scenarios[seed % scenarios.size()];
    std::snprintf(running_now, sizeof running_now,
                  "seed %llu (%s): died, or hung\n  again with: %s\n",
                  static_cast<unsigned long long>(seed), weather.name.c_str(),
                  replay(wanted, weather, seed).c_str());
    limit_time(most_seconds(wanted.layer));
    const auto make = maker(wanted, weather, who);
    schedule first{weather, seed, make};
    if (wanted.story)
      first.tell();
    auto came = first.run();
    ++schedules;
    if (!wanted.once && came.violation.empty()) {
      ++schedules;
      if (auto again = schedule{weather, seed, make}.run(); again.trace_hash != came.trace_hash)
        came.violation = "the same seed took another course";
    }
    seen.add(came.seen);
    applied += came.applied;
    if (came.violation.empty())
      continue;
    ++failures;
    std::cout << "seed " << seed << " (" << weather.name << ", after " << came.at_ms
              << " ms): " << came.violation << "\n  again with: " << replay(wanted, weather, seed)
              << std::endl;
    if (!wanted.keep_going)
      break;
  }
  const auto seconds
      = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  for (size_t i = 0; i < probes::total; ++i)
    if (const auto each = static_cast<probe>(i); seen.hits(each) == 0)
      std::cout << "never happened: " << name_of(each) << "\n";
  std::cout << schedules << " schedules of " << scenarios.size() << " scenarios, " << applied
            << " entries, " << failures << " failures, " << seen.distinct() << " of "
            << probes::total << " probes hit, " << schedules / std::max(seconds, 1e-3)
            << " schedules/s" << std::endl;
  std::filesystem::create_directories(std::filesystem::path{wanted.summary}.parent_path());
  std::ofstream{wanted.summary} << "{\"seeds\": " << wanted.seeds << ", \"failures\": " << failures
                                << ", \"schedules_per_second\": "
                                << schedules / std::max(seconds, 1e-3)
                                << ", \"probes_hit\": " << seen.distinct()
                                << ", \"probes_total\": " << probes::total << "}\n";
  if (seen.distinct() < wanted.least_probes) {
    std::cout << "too few probes: " << wanted.least_probes << " were required" << std::endl;
    return 1;
  }
  return failures == 0 ? 0 : 1;
}

} // namespace

int main(int count, char** arguments) {
  options wanted;
  CLI::App app{"novacron's simulation: whole clusters on virtual time"};
  app.add_option("--seeds", wanted.seeds, "how many seeds");
  app.add_option("--first", wanted.first, "the first one");
  app.add_option("--layer", wanted.layer, "1: the pure states, without actors; 2: the real actors");
  app.add_option("--scenarios", wanted.scenarios, "folder of the scenarios");
  app.add_option("--scenario", wanted.only, "only this one, for every seed");
  app.add_option("--summary", wanted.summary, "where the figures go");
  app.add_option("--without", wanted.without,
                 "takes a guard away: G1 to G13, sync-before-ack, fencer, …");
  app.add_flag("--once", wanted.once, "don't run each seed twice");
  app.add_option("--least-probes", wanted.least_probes, "fail if fewer rare paths ran");
  app.add_flag_callback(
      "--require-probes", [&wanted] { wanted.least_probes = probes::total; },
      "fail if any rare path never ran");
  app.add_flag("--story", wanted.story, "tell on standard error what happens to hosts and guests");
  app.add_flag("--keep-going", wanted.keep_going, "go on after a failure");
  CLI11_PARSE(app, count, arguments);
  if (wanted.layer != 1 && wanted.layer != 2) {
    std::cerr << "sim: there are layers 1 and 2\n";
    return 2;
  }
  try {
    return run(wanted);
  } catch (const std::exception& why) {
    std::cerr << "sim: " << why.what() << "\n";
    return 2;
  }
}
