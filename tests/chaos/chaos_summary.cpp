#include "chaos_summary.hpp"

#include "actors/view/json_writer.hpp"

#include <algorithm>
#include <iomanip>
#include <numeric>
#include <sstream>

namespace novacron::chaos {

namespace {

std::vector<uint64_t> values_of(const fault_summary& x, measure which) {
  std::vector<uint64_t> all;
  for (const auto& each : x.runs)
    if (each.*which)
      all.push_back(static_cast<uint64_t>((each.*which)->count()));
  return all;
}

uint64_t sum_of(const fault_summary& x, uint64_t fault_run::*which) {
  uint64_t sum = 0;
  for (const auto& each : x.runs)
    sum += each.*which;
  return sum;
}

void number_or_null(json_writer& out, std::string_view key, std::optional<uint64_t> x) {
  out.key(key);
  if (x)
    out.number(*x);
  else
    out.null();
}

/// Without a limit, or a time, nothing says that it was kept.
void limit(json_writer& out, const fault_summary& x) {
  std::optional<uint64_t> within;
  if (x.within.count() > 0)
    within = static_cast<uint64_t>(x.within.count());
  number_or_null(out, "within_ms", within);
  out.key("within");
  if (within && !values_of(x, &fault_run::recovered).empty())
    out.boolean(!x.beyond());
  else
    out.null();
}

/// Of faults that displace guests only.
void displacement(json_writer& out, const fault_summary& x) {
  const auto fenced = values_of(x, &fault_run::fenced);
  const auto elsewhere = values_of(x, &fault_run::elsewhere);
  if (fenced.empty() && elsewhere.empty())
    return;
  number_or_null(out, "fenced_ms_p50", percentile(fenced, 50));
  number_or_null(out, "fenced_ms_max", percentile(fenced, 100));
  number_or_null(out, "elsewhere_ms_p50", percentile(elsewhere, 50));
  number_or_null(out, "elsewhere_ms_max", percentile(elsewhere, 100));
}

/// Of faults that cut a leader off only.
void put_stops(json_writer& out, const fault_summary& x) {
  const auto stopped = values_of(x, &fault_run::stopped);
  if (stopped.empty())
    return;
  number_or_null(out, "stopped_ms_p50", percentile(stopped, 50));
  number_or_null(out, "stopped_ms_max", percentile(stopped, 100));
}

void put_mix(json_writer& out, const request_mix& x) {
  out.key("mix").begin_object();
  for (size_t kind = 0; kind < request_kinds; ++kind)
    out.key(name_of(static_cast<request_kind>(kind))).number(x.by_kind[kind]);
  out.key("repeated_creates").number(x.repeated_creates);
  out.key("beside").number(x.beside);
  out.end_object();
}

void put_kills(json_writer& out, const chaos_summary& x) {
  out.key("actor_kills").begin_object();
  for (const auto& [kind, count] : x.actor_kills)
    out.key(kind).number(count);
  out.end_object();
}

std::string cell(std::optional<uint64_t> x) {
  return x ? std::to_string(*x) : "–";
}

std::string limit_cell(const fault_summary& x) {
  return x.within.count() > 0 ? std::to_string(x.within.count()) + (x.beyond() ? ", beyond" : "")
                              : "–";
}

void table_row(std::ostream& out, const fault_summary& x) {
  out << "| " << x.name << " | " << x.runs.size() << " | " << times(x, &fault_run::detected)
      << " | " << times(x, &fault_run::recovered) << " | " << limit_cell(x) << " | "
      << times(x, &fault_run::writes_again) << " | " << sum_of(x, &fault_run::acknowledged_during)
      << " | " << sum_of(x, &fault_run::lost_requests) << " |\n";
}

bool displaces(const fault_summary& x) {
  return !values_of(x, &fault_run::fenced).empty() || !values_of(x, &fault_run::elsewhere).empty();
}

void displacement_rows(std::ostream& out, const chaos_summary& x) {
  if (std::ranges::none_of(x.faults, displaces))
    return;
  out << "\n## Hosts that were off or cut off\n\n"
         "Looked at from outside, at the hosts' machines, every 50 ms or so, from the fault's "
         "beginning. *Ended there*: until none of the host's `ha` guests was seen on it any more; "
         "*run elsewhere*: until the last of those that ran there, and that nobody has had "
         "stopped, "
         "paused or deleted since, was seen to run on another host. Meanwhile all hosts are "
         "counted, "
         "each twice in a row, for guests that run twice. The real guests' image is on one host "
         "only.\n\n"
         "| fault | times | ended there | run elsewhere |\n|---|---|---|---|\n";
  for (const auto& each : x.faults)
    if (displaces(each))
      out << "| " << each.name << " | " << each.runs.size() << " | "
          << times(each, &fault_run::fenced) << " | " << times(each, &fault_run::elsewhere)
          << " |\n";
}

void stop_rows(std::ostream& out, const chaos_summary& x) {
  for (const auto& each : x.faults)
    if (!values_of(each, &fault_run::stopped).empty())
      out << "\n"
          << each.name << ": it stopped taking writes after " << times(each, &fault_run::stopped)
          << " ms; until then they were left without an answer, or with one that leaves their "
             "outcome "
             "open.\n";
}

void mix_rows(std::ostream& out, const chaos_summary& x) {
  out << "\n## What users asked for\n\n"
         "Users follow the seed's mix; who has enough VMs repeats one of his creates with its key. "
         "What isn't in the mix (pause, resume, reads, events, all that is asked of real guests) "
         "others ask for. At most "
      << x.most_vms << " VMs at once, looked at after each fault.\n\n"
      << "| request | the seed's % | % | count |\n|---|---|---|---|\n";
  const auto all = static_cast<double>(std::max<uint64_t>(x.mix.all(), 1));
  for (size_t kind = 0; kind < request_kinds; ++kind)
    out << "| " << name_of(static_cast<request_kind>(kind)) << " | " << seed_mix[kind] << " | "
        << std::fixed << std::setprecision(1)
        << 100 * static_cast<double>(x.mix.by_kind[kind]) / all << " | " << x.mix.by_kind[kind]
        << " |\n";
  out << "\n"
      << x.mix.repeated_creates << " of the creates were repetitions; " << x.mix.beside
      << " requests beside the mix.\n";
}

void kill_rows(std::ostream& out, const chaos_summary& x) {
  if (x.actor_kills.empty())
    return;
  out << "\n## Actors killed, by kind\n\n| kind | killed |\n|---|---|\n";
  for (const auto& [kind, count] : x.actor_kills)
    out << "| " << kind << " | " << count << " |\n";
}

void list(std::ostream& out, const std::string& title, const std::vector<std::string>& what) {
  out << "\n## " << title << ": " << what.size() << "\n\n";
  for (const auto& each : what)
    out << "- " << each << '\n';
}

} // namespace

void add_note(fault_run& to, const std::string& what) {
  to.note += (to.note.empty() ? "" : "; ") + what;
}

uint64_t request_mix::all() const {
  return std::accumulate(by_kind.begin(), by_kind.end(), uint64_t{0});
}

uint64_t chaos_summary::actors_killed() const {
  return std::accumulate(actor_kills.begin(), actor_kills.end(), uint64_t{0},
                         [](uint64_t sum, const auto& each) { return sum + each.second; });
}

double chaos_summary::availability() const {
  return requests == 0 ? 0 : 1 - static_cast<double>(lost_requests) / static_cast<double>(requests);
}

bool chaos_summary::all_holds() const {
  return writes_lost.empty() && duplicate_runs.empty() && operations_stuck.empty()
         && other_violations.empty();
}

bool fault_summary::beyond() const {
  const auto median = percentile(values_of(*this, &fault_run::recovered), 50);
  return within.count() > 0 && median && *median > static_cast<uint64_t>(within.count());
}

std::optional<uint64_t> percentile(std::vector<uint64_t> values, unsigned p) {
  if (values.empty())
    return {};
  std::ranges::sort(values);
  const auto rank = (values.size() * p + 99) / 100;
  return values[std::max<size_t>(rank, 1) - 1];
}

std::string times(const fault_summary& x, measure which) {
  const auto values = values_of(x, which);
  return cell(percentile(values, 50)) + " / " + cell(percentile(values, 100));
}

std::string to_json(const chaos_summary& x) {
  json_writer out;
  out.begin_object();
  out.key("faults").begin_array();
  for (const auto& each : x.faults) {
    const auto detected = values_of(each, &fault_run::detected);
    const auto recovered = values_of(each, &fault_run::recovered);
    out.begin_object();
    out.key("name").text(each.name);
    out.key("count").number(each.runs.size());
    number_or_null(out, "detect_ms_p50", percentile(detected, 50));
    number_or_null(out, "detect_ms_max", percentile(detected, 100));
    number_or_null(out, "recover_ms_p50", percentile(recovered, 50));
    number_or_null(out, "recover_ms_max", percentile(recovered, 100));
    limit(out, each);
    displacement(out, each);
    put_stops(out, each);
    out.key("lost_requests").number(sum_of(each, &fault_run::lost_requests));
    out.key("progressed_during").number(sum_of(each, &fault_run::acknowledged_during));
    out.end_object();
  }
  out.end_array();
  out.key("acknowledged_writes").number(x.acknowledged_writes);
  out.key("writes_lost").number(x.writes_lost.size());
  out.key("duplicate_runs").number(x.duplicate_runs.size());
  out.key("operations_stuck").number(x.operations_stuck.size());
  out.key("availability").fraction(x.availability());
  put_mix(out, x.mix);
  put_kills(out, x);
  out.end_object();
  return out.take();
}

std::string to_markdown(const chaos_summary& x) {
  std::ostringstream out;
  out << "# Chaos, seed " << x.seed << "\n\n"
      << (x.all_holds() ? "All promises hold.\n" : "Promises were broken.\n") << '\n'
      << x.lasted.count() << " s; " << x.guests << "; " << x.acknowledged_writes
      << " acknowledged writes, " << x.requests << " requests, " << x.lost_requests
      << " of them without an answer for good (availability " << x.availability() << "); "
      << x.actors_killed() << " actors killed; running guests counted " << x.counts << " times, "
      << x.ticks << " ticks heard.\n\n"
      << "Times in ms, median / largest. *Detected*: until a node says so; *recovered*: see "
         "tests/chaos/faults.toml; *limit*: design.md's, and *beyond* where the median is longer; "
         "*writes*: until one that was sent after the fault's beginning was acknowledged; "
         "*during*: "
         "writes acknowledged from its beginning to its end, or to its recovery.\n\n"
      << "| fault | times | detected | recovered | limit | writes | during | lost requests |\n"
      << "|---|---|---|---|---|---|---|---|\n";
  for (const auto& each : x.faults)
    if (each.impossible.empty() || !each.runs.empty())
      table_row(out, each);
  for (const auto& each : x.faults)
    if (!each.impossible.empty())
      out << "\nNot possible here" << (each.runs.empty() ? "" : " now and then") << ": "
          << each.name << ": " << each.impossible << ".\n";
  stop_rows(out, x);
  displacement_rows(out, x);
  mix_rows(out, x);
  kill_rows(out, x);
  list(out, "Writes lost", x.writes_lost);
  list(out, "Duplicate runs", x.duplicate_runs);
  list(out, "Operations stuck", x.operations_stuck);
  list(out, "Other violations", x.other_violations);
  out << "\n## Each time\n\n";
  for (const auto& each : x.faults)
    for (const auto& run : each.runs)
      if (!run.note.empty())
        out << "- " << each.name << ", " << run.what << ": " << run.note << '\n';
  return out.str();
}

std::string beyond_limits(const chaos_summary& x) {
  std::string all;
  for (const auto& each : x.faults)
    if (each.beyond())
      all += "beyond its limit: " + each.name + ": recovered after "
             + times(each, &fault_run::recovered) + " ms (median / largest), "
             + std::to_string(each.within.count()) + " ms are allowed\n";
  return all;
}

} // namespace novacron::chaos
