#include "chaos_run.hpp"

#include "actor_return.hpp"
#include "runtime/cli/render.hpp"
#include "standing_vms.hpp"
#include "tests/becomes_true.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr auto start_limit = 90s;
constexpr auto recovery_limit = 60s;
constexpr auto write_limit = 20s; ///< and of the first one after a fault
constexpr auto away_limit = 60s;  ///< for guests to run elsewhere
constexpr auto tick_every = 50ms;
constexpr auto between_actor_kills = 250ms;
constexpr auto first_writes = 2s;
constexpr size_t kills_of_a_batch = 25;

std::chrono::milliseconds ms(std::chrono::steady_clock::duration x) {
  return std::chrono::ceil<std::chrono::milliseconds>(x);
}

/// What becomes of a host's guests isn't seen yet.
bool is_watched(const std::vector<injection>& injected) {
  return std::ranges::any_of(injected, [](const auto& x) { return x.watch && !x.watch->over(); });
}

std::string ms_text(const std::optional<std::chrono::milliseconds>& x) {
  return x ? std::to_string(x->count()) + " ms" : "not seen";
}

} // namespace

chaos_run::chaos_run(const chaos_options& options, std::ostream& out,
                     const std::atomic<bool>& cancelled)
    : options_{options}, out_{out}, cancelled_{cancelled}, size_{options.short_form,
                                                                 options.where.real},
      begin_{clock::now()}, random_{options.where.seed}, plan_{read_faults(options.faults)},
      lab_{options.where}, census_{lab_.places()} {
  if (!options.only.empty())
    std::erase_if(plan_, [&](const auto& x) { return x.name.find(options.only) == x.name.npos; });
}

void chaos_run::say(const std::string& text) {
  const auto since = std::chrono::duration<double>(clock::now() - begin_).count();
  out_ << std::fixed << std::setprecision(1) << std::setw(8) << since << " s  " << text
       << std::endl;
}

void chaos_run::violated(std::vector<std::string>& list, const std::string& what) {
  if (!said_.insert(what).second)
    return;
  list.push_back(what);
  say("VIOLATION: " + what);
}

bool chaos_run::time_is_over() const {
  return must_stop() || clock::now() - begin_ > options_.lasts;
}

fault_scene chaos_run::scene() {
  return {lab_, *observer_, *users_, ledger_, random_};
}

fault_summary& chaos_run::summary_of(const fault& what) {
  for (auto& each : summary_.faults)
    if (each.name == what.name)
      return each;
  summary_.faults.push_back({what.name, what.within, {}, {}});
  return summary_.faults.back();
}

chaos_summary chaos_run::run() {
  summary_.seed = options_.where.seed;
  summary_.guests = options_.where.real ? "real guests on node-6, simulated ones on the others"
                                        : "all guests simulated";
  begin();
  if (summary_.all_holds()) {
    one_after_the_other();
    mixed();
    the_rest_of_the_kills();
  }
  end();
  summary_.lasted = std::chrono::duration_cast<std::chrono::seconds>(clock::now() - begin_);
  return summary_;
}

void chaos_run::begin() {
  say("three controllers, three hosts, three gateways, seed " + std::to_string(options_.where.seed)
      + "; " + summary_.guests);
  lab_.start();
  observer_.emplace(lab_);
  if (!observer_->await_whole(begin_, start_limit)) {
    violated(summary_.other_violations, "the cluster did not come up: " + observer_->text());
    return;
  }
  say("they are up, " + lab::name(std::max(observer_->leader(), 1)) + " leads");
  create_standing_vms(lab_, ledger_, census_);
  if (auto kinds = kinds_of_actors(lab_))
    kinds_ = *kinds;
  else
    violated(summary_.other_violations, kinds.error().message);
  users_.emplace(lab_, ledger_, census_, options_.user_count, options_.where.real,
                 options_.where.seed);
  // What is measured first shall not be users' first requests.
  const auto warm = clock::now() + first_writes;
  const auto written = [&] { return cancelled_ || ledger_.first_sent_after(warm).has_value(); };
  if (!becomes_true(write_limit, written, tick_every))
    violated(summary_.other_violations, "no user got anything written");
}

void chaos_run::one_after_the_other() {
  for (const auto& each : in_order(plan_, size_, random_)) {
    // The short form shows each kind, whatever it takes.
    if (must_stop() || (!size_.short_form && time_is_over()))
      return;
    run_fault(each);
  }
}

void chaos_run::mixed() {
  for (const auto& each : host_and_controller(plan_, size_, random_))
    if (!time_is_over())
      run_pair(each);
  std::vector<fault> pool;
  for (const auto& each : plan_)
    if ((!each.real || size_.real) && each.deed != fault_deed::kill_actors
        && each.deed != fault_deed::kill_cluster
        && !displaces_guests(each)) // those need the others: see host_and_controller
      pool.push_back(each);
  while (pool.size() > 1 && !time_is_over()) {
    std::ranges::shuffle(pool, random_);
    // Two that say what links are like would undo each other.
    const auto second = std::find_if(pool.begin() + 1, pool.end(), [&](const auto& x) {
      return x.deed != fault_deed::links || pool[0].deed != fault_deed::links;
    });
    if (second == pool.end())
      return;
    run_two(pool[0], *second);
  }
}

void chaos_run::the_rest_of_the_kills() {
  if (size_.short_form || !options_.only.empty())
    return;
  for (const auto& each : plan_)
    while (each.deed == fault_deed::kill_actors && summary_.actors_killed() < options_.actor_kills
           && !must_stop())
      kill_actors(each, kills_of_a_batch);
}

void chaos_run::run_fault(const fault& what) {
  if (what.deed == fault_deed::kill_actors)
    return kill_actors(what, size_.short_form ? what.short_count : what.count);
  const auto lasts = duration(what, size_);
  std::vector<injection> injected{inject(what, scene())};
  auto& summary = summary_of(what);
  if (!injected[0].impossible.empty()) {
    summary.impossible = injected[0].impossible;
    say(what.name + ": not possible: " + summary.impossible);
    return;
  }
  summary.runs.push_back(live_through(injected, what, lasts));
}

void chaos_run::run_two(const fault& left, const fault& right) {
  fault both = left;
  both.name = "mixed: two faults at a time, and actors killed";
  both.within = 0ms;
  both.recovered = recovery_sign::whole;
  std::vector<injection> injected;
  for (const auto* each : {&left, &right}) {
    auto one = inject(*each, scene());
    if (!one.impossible.empty())
      continue;
    one.what = each->name + ", " + one.what;
    injected.push_back(std::move(one));
  }
  injection kills;
  kills.what = "actors";
  kills.tick = [this, next = clock::now()]() mutable {
    if (clock::now() < next)
      return;
    next = clock::now() + between_actor_kills;
    kill_next_actor();
  };
  injected.push_back(std::move(kills));
  const auto lasts
      = std::max({duration(left, size_), duration(right, size_), std::chrono::milliseconds{3s}});
  summary_of(both).runs.push_back(live_through(injected, both, lasts));
}

/// Nobody's limit holds for both at once. No actors are killed meanwhile: who looks for those of
/// the host that is off would keep the driver from looking at the others.
void chaos_run::run_pair(const fault_pair& pair) {
  fault both = pair.host;
  both.name = "mixed: a host and a controller die at once";
  both.within = 0ms;
  auto& summary = summary_of(both);
  std::vector<injection> injected;
  for (const auto* each : {&pair.host, &pair.controller}) {
    auto one = inject(*each, scene());
    if (!one.impossible.empty()) {
      summary.impossible = one.impossible;
      say(both.name + ": not possible: " + summary.impossible);
      break;
    }
    one.what = each->name + ", " + one.what;
    injected.push_back(std::move(one));
  }
  if (!injected.empty()) // also a host alone must come back
    summary.runs.push_back(live_through(injected, both, 0ms));
}

fault_run chaos_run::live_through(std::vector<injection>& injected, const fault& what,
                                  std::chrono::milliseconds lasts) {
  fault_run measured;
  const auto began = clock::now();
  for (const auto& each : injected)
    measured.what += (measured.what.empty() ? "" : " + ") + each.what;
  const auto counted = census_.counts();
  while (!cancelled_
         && (clock::now() - began < lasts
             || (is_watched(injected) && clock::now() - began < away_limit))) {
    for (const auto& each : injected)
      if (each.tick)
        each.tick();
    std::this_thread::sleep_for(tick_every);
  }
  for (const auto& each : injected)
    if (each.end)
      each.end();
  const bool lasted = lasts > 0ms || displaces_guests(what);
  const auto ended = lasted ? clock::now() : began;
  for (const auto& each : injected)
    if (each.watch && !cancelled_)
      judge_watch(*each.watch, what, counted, measured);
  const auto whole = observer_->await_whole(ended, recovery_limit);
  if (const auto noticed = observer_->noticed_since(began))
    measured.detected = ms(*noticed - began);
  const auto written = await_write(began);
  if (written)
    measured.writes_again = ms(*written - began);
  if (whole)
    measured.recovered = ms(*whole - ended);
  if (what.recovered == recovery_sign::writes && written)
    measured.recovered = ms(*written - began);
  if (what.recovered == recovery_sign::fenced)
    measured.recovered = measured.fenced;
  if (what.recovered == recovery_sign::elsewhere)
    measured.recovered = measured.elsewhere;
  const auto tally = ledger_.between(began, lasted ? ended : whole.value_or(clock::now()));
  measured.acknowledged_during = tally.acknowledged;
  measured.lost_requests = tally.lost;
  for (const auto& each : injected)
    if (each.stopped)
      measured.stopped = each.stopped();
  for (const auto& each : injected)
    if (each.note)
      add_note(measured, each.note());
  for (const auto& each : injected)
    if (each.wrong && injected.size() == 1)
      for (const auto& fault : each.wrong())
        violated(summary_.other_violations, what.name + ", " + measured.what + ": " + fault);
  if (!whole)
    violated(summary_.other_violations,
             "after \"" + what.name + "\" (" + measured.what
                 + ") the cluster was not whole again: " + observer_->text());
  for (const auto& each : injected)
    await_back(each);
  measured.settled = settle(what.name + ", " + measured.what);
  if (what.recovered == recovery_sign::settled && whole)
    measured.recovered = ms(clock::now() - ended);
  say(what.name + (measured.what.empty() ? "" : " (" + measured.what + ")") + ": detected "
      + ms_text(measured.detected) + ", recovered " + ms_text(measured.recovered) + ", writes "
      + ms_text(measured.writes_again) + ", " + std::to_string(measured.acknowledged_during)
      + " acknowledged and " + std::to_string(measured.lost_requests) + " lost meanwhile, settled "
      + std::to_string(measured.settled.count()) + " ms"
      + (measured.note.empty() ? "" : "; " + measured.note));
  return measured;
}

void chaos_run::await_back(const injection& killed) {
  if (killed.back && !becomes_true(recovery_limit, killed.back, tick_every))
    violated(summary_.other_violations, killed.what + ": it did not come back");
}

std::optional<chaos_run::clock::time_point> chaos_run::await_write(clock::time_point from) const {
  std::optional<clock::time_point> written;
  becomes_true(
      write_limit,
      [&] {
        written = ledger_.first_sent_after(from);
        return written.has_value();
      },
      tick_every);
  return written;
}

std::optional<killed_actor> chaos_run::kill_next_actor() {
  auto killed = kill_one_actor(turn_++, scene());
  if (killed)
    ++summary_.actor_kills[killed->kind];
  return killed;
}

void chaos_run::kill_actors(const fault& what, size_t count) {
  struct kill {
    killed_actor of;
    std::optional<std::chrono::milliseconds> back; ///< none: it isn't to come back
  };
  std::vector<kill> kills;
  const auto began = clock::now();
  for (size_t tries = 0; kills.size() < count && tries < 3 * count && !cancelled_; ++tries) {
    const auto next = clock::now() + between_actor_kills;
    if (const auto killed = kill_next_actor()) {
      const auto back = await_return(*killed, scene());
      if (!back)
        violated(summary_.other_violations, back.error().message);
      kills.push_back({*killed, back ? *back : std::nullopt});
    }
    std::this_thread::sleep_until(next);
  }
  const auto whole = observer_->await_whole(clock::now(), recovery_limit);
  if (!whole)
    violated(summary_.other_violations,
             "after actors were killed the cluster was not whole again: " + observer_->text());
  fault_summary these;
  for (size_t i = 0; i < kills.size(); ++i) {
    const auto& killed = kills[i].of;
    const auto next = i + 1 < kills.size() ? kills[i + 1].of.sent : clock::now();
    const auto tally = ledger_.between(killed.sent, next);
    fault_run run;
    run.what = killed.kind;
    run.detected = killed.answered;
    run.recovered = kills[i].back;
    if (const auto written = await_write(killed.sent))
      run.writes_again = ms(*written - killed.sent);
    run.acknowledged_during = tally.acknowledged;
    run.lost_requests = tally.lost;
    these.runs.push_back(run);
    summary_of(what).runs.push_back(run);
  }
  if (kills.empty() && !cancelled_) {
    violated(summary_.other_violations, "no actor could be killed");
    hopeless_ = true; // nor will the next
  }
  const auto settled = settle("actors were killed");
  say(what.name + ": " + std::to_string(kills.size()) + " in "
      + std::to_string(ms(clock::now() - began).count()) + " ms ("
      + std::to_string(summary_.actors_killed()) + " so far), back after "
      + times(these, &fault_run::recovered) + " ms, writes again after "
      + times(these, &fault_run::writes_again) + " ms, settled " + std::to_string(settled.count())
      + " ms");
}

} // namespace novacron::chaos
