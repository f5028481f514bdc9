// What must hold after each fault, and at the end.

#include "chaos_run.hpp"
#include "runtime/cli/render.hpp"
#include "standing_vms.hpp"

#include <algorithm>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr auto settle_limit = 90s;
constexpr auto slow_settling = 10s; ///< then what it waits for is said
constexpr auto answer_limit = 60s;  ///< of each write, repetitions included
constexpr auto start_limit = 4s;
constexpr auto last_read_limit = 20s;
constexpr auto look_every = 200ms;

std::chrono::milliseconds ms(std::chrono::steady_clock::duration x) {
  return std::chrono::ceil<std::chrono::milliseconds>(x);
}

std::string list_of(const std::set<std::string>& ids) {
  std::string all;
  for (const auto& each : ids)
    all += (all.empty() ? "vm " : ", vm ") + each;
  return all;
}

} // namespace

std::chrono::milliseconds chaos_run::settle(const std::string& after) {
  if (cancelled_)
    return 0ms;
  const auto begin = clock::now();
  if (!users_->pause(answer_limit))
    violated(summary_.operations_stuck,
             "after " + after + " a user's write was not answered in 60 s");
  const auto latest = clock::now() + settle_limit;
  const auto slow = clock::now() + slow_settling;
  std::string open = "nothing could be read";
  bool settled = false;
  std::optional<shown_state> last;
  for (size_t turn = 0; !settled && clock::now() < latest && !cancelled_; ++turn) {
    const auto shown = lab_.read_all(lab::asked[turn % lab::asked.size()]);
    if (!shown) {
      open = shown.error().message;
    } else {
      const auto rest = look_for_unsettled(*shown);
      start_what_ended(rest.ended);
      open = rest.text();
      settled = rest.empty();
      if (!settled && clock::now() > slow && said_.insert(open).second)
        say("still open: " + open);
      last = *shown;
    }
    if (!settled)
      std::this_thread::sleep_for(look_every);
  }
  if (last)
    check_books(after, *last);
  if (last && settled)
    judge_mix(*last);
  if (!settled && !cancelled_) {
    violated(summary_.operations_stuck, "after " + after + " this did not settle: " + open);
    hopeless_ = true; // nothing that comes could be judged
  }
  check_census(after);
  const auto took = ms(clock::now() - begin);
  users_->resume();
  return took;
}

void chaos_run::judge_watch(const host_watch& watch, const fault& what, uint64_t counted,
                            fault_run& measured) {
  const auto when = '"' + what.name + "\" (" + measured.what + "): ";
  const auto& guests = watch.guests();
  auto since = [&](auto at) { return ms(at - watch.begin()); };
  if (const auto ended = guests.ended_there())
    measured.fenced = since(*ended);
  else
    violated(summary_.other_violations,
             when + "ha guests did not end there: " + list_of(guests.left()));
  if (const auto run = watch.run_elsewhere())
    measured.elsewhere = since(*run);
  if (!watch.bound())
    for (const auto& each : watch.missing())
      violated(summary_.other_violations,
               when + "the ha guest of vm " + each + " did not run elsewhere");
  if (census_.counts() == counted)
    violated(summary_.other_violations, when + "nobody counted meanwhile who ran");
  check_census(what.name + ", " + measured.what);
  if (measured.fenced && what.recovered == recovery_sign::fenced)
    add_note(measured, "ended there after " + std::to_string(measured.fenced->count()) + " ms");
  if (measured.elsewhere)
    add_note(measured,
             "ran elsewhere after " + std::to_string(measured.elsewhere->count()) + " ms");
}

/// As the users would: what ended by its policy for good is started again.
void chaos_run::start_what_ended(const std::vector<std::string>& ids) {
  for (const auto& id : ids) {
    client_request call;
    call.method = "POST";
    call.path = "/api/v1/vms/" + id + "/start";
    call.idempotency_key = "started-again-" + std::to_string(++started_);
    call.limit = start_limit;
    const bool begun = std::ranges::any_of(lab::gateways, [&](int node) {
      const auto reply = lab_.ask(node, call);
      return reply && reply->ok();
    });
    if (begun)
      ledger_.requested(id, "running");
  }
}

void chaos_run::check_books(const std::string& after, const shown_state& shown) {
  for (const auto& each : lost_writes(ledger_, shown))
    if (said_.insert(each).second)
      violated(summary_.writes_lost, each + ", after " + after);
  for (const auto& each : ledger_.breaches())
    violated(summary_.other_violations, each);
}

/// While nobody asks: all VMs are somebody's, and there are no more than users keep.
void chaos_run::judge_mix(const shown_state& shown) {
  for (const auto& each : unknown_vms(ledger_, shown))
    violated(summary_.other_violations, each);
  const auto living = static_cast<uint64_t>(std::ranges::count_if(
      shown.vms, [](const auto& vm) { return field_text(vm, "actual") != "gone"; }));
  summary_.most_vms = std::max(summary_.most_vms, living);
  const auto most = users_->most_vms() + standing_vms(options_.where.real);
  if (living > most)
    violated(summary_.other_violations, "there are " + std::to_string(living)
                                            + " VMs, and users keep no more than "
                                            + std::to_string(most));
}

void chaos_run::judge_kills() {
  const bool meant = std::ranges::any_of(
      plan_, [](const auto& each) { return each.deed == fault_deed::kill_actors; });
  if (!meant || must_stop())
    return;
  for (const auto& kind : kinds_)
    if (!summary_.actor_kills.contains(kind))
      violated(summary_.other_violations, "no actor of the kind " + kind + " was killed");
}

void chaos_run::check_census(const std::string& after) {
  for (const auto& each : census_.duplicates())
    if (said_.insert(each).second)
      violated(summary_.duplicate_runs, each + ", seen after " + after);
  for (const auto& each : census_.bad_memory())
    violated(summary_.other_violations, each);
}

void chaos_run::end() {
  if (users_) {
    if (!hopeless_)
      settle("everything");
    users_->stop();
    // Each replica must show it all, and each gateway, and the same.
    for (const int node : lab::asked) {
      if (cancelled_)
        break;
      result<shown_state> shown = lab_.read_all(node);
      for (const auto latest = clock::now() + last_read_limit; !shown && clock::now() < latest;)
        shown = lab_.read_all(node);
      if (shown)
        check_books("the end, says " + lab::name(node), *shown);
      else
        violated(summary_.other_violations,
                 "at the end " + lab::name(node) + " can't be read: " + shown.error().message);
    }
  }
  judge_kills();
  if (cancelled_)
    violated(summary_.other_violations, "it was ended before its end");
  const auto total = ledger_.total();
  if (users_)
    summary_.mix = users_->mix();
  summary_.acknowledged_writes = ledger_.acknowledged_writes();
  summary_.requests = total.all;
  summary_.lost_requests = total.lost;
  summary_.counts = census_.counts();
  summary_.ticks = census_.ticks();
  if (summary_.counts == 0 || summary_.acknowledged_writes == 0)
    violated(summary_.other_violations, "nothing was written, or nothing was counted");
}

} // namespace novacron::chaos
