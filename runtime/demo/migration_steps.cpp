#include "runtime/demo/story.hpp"
#include "runtime/errors.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <thread>

namespace novacron {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds migration_limit{90};
constexpr std::chrono::milliseconds look_every{20};
constexpr std::chrono::milliseconds show_every{500};
constexpr unsigned accepted = 202; ///< HTTP's
constexpr double bytes_per_mib = 1'048'576;

std::string progress_line(const boost::json::value& progress) {
  char line[160];
  std::snprintf(
      line, sizeof line, "  round %.0f, %.1f MiB remain, %.1f MiB/s on the wire, ratio %.2f",
      field_number(progress, "round"), field_number(progress, "remaining_bytes") / bytes_per_mib,
      field_number(progress, "bytes_per_second") / bytes_per_mib, field_number(progress, "ratio"));
  return line;
}

bool over(const boost::json::value& migration) {
  const auto phase = field_text(migration, "phase");
  return phase == "done" || phase == "rolled_back";
}

result<std::string> ask(story& x, const std::string& to) {
  auto reply = demand(x, "POST", "/api/v1/vms/" + x.vm + "/migrate",
                      boost::json::serialize(boost::json::object{{"to", to}}), accepted);
  if (!reply)
    return reply.error();
  ++x.summary.acknowledged_writes;
  return field_text(reply->body, "migration");
}

/// Follows it to its end; acts once, in its middle: when pages travel.
result<boost::json::value> follow(story& x, const std::string& id, const disturbance& middle) {
  const auto begin = clock::now();
  auto shown = begin;
  bool acted = middle.what.empty();
  boost::json::value last;
  boost::json::value progress; // an ended migration shows none
  while (clock::now() < begin + migration_limit) {
    client_request call;
    call.path = "/api/v1/migrations/" + id;
    call.limit = std::chrono::seconds{2};
    if (auto reply = x.cluster.api().ask(call); reply && reply->ok())
      last = reply->body;
    if (const auto& seen = field(last, "progress"); seen.is_object())
      progress = seen;
    if (over(last)) {
      last.as_object()["progress"] = progress;
      return last;
    }
    if (!acted && field_number(progress, "guest_bytes") > 0) {
      acted = true;
      x.out.say("killing " + middle.what + " in the middle, " + field_text(progress, "phase")
                + " round " + std::to_string(static_cast<int>(field_number(progress, "round"))));
      if (auto done = middle.act(id); !done)
        return done.error();
    }
    if (clock::now() > shown + show_every && progress.is_object()) {
      shown = clock::now();
      x.out.say(progress_line(progress));
    }
    std::this_thread::sleep_for(look_every);
  }
  return make_failure(runtime_errc::timed_out,
                      "migration " + id + " did not end; last: " + boost::json::serialize(last));
}

/// One that was given up has no cost in its record: then by its last progress.
migration_summary summary_of(const boost::json::value& migration, double seconds) {
  const bool done = field_text(migration, "phase") == "done";
  const auto& cost = field(migration, done ? "cost" : "progress");
  migration_summary m;
  m.from = field_text(migration, "from");
  m.to = field_text(migration, "to");
  m.outcome = field_text(migration, "phase");
  m.seconds = done ? field_number(cost, "seconds") : seconds;
  m.guest_bytes = static_cast<uint64_t>(field_number(cost, "guest_bytes"));
  m.wire_bytes = static_cast<uint64_t>(field_number(cost, "wire_bytes"));
  m.ratio = field_number(cost, "ratio");
  m.chain_ok = field(cost, "chain_ok") == true;
  return m;
}

} // namespace

result<migration_summary> migrate(story& x, const std::string& to, const disturbance& middle) {
  const process_census::migration_window window{*x.census};
  const auto begin = clock::now();
  auto id = ask(x, to);
  if (!id)
    return id.error();
  auto ended = follow(x, *id, middle);
  if (!ended)
    return ended.error();
  const std::chrono::duration<double> took = clock::now() - begin;
  auto runs = x.cluster.await(
      "/api/v1/vms/" + x.vm,
      [](const auto& vm) {
        return field_text(vm, "actual") == "running" && field(vm, "migration").is_null();
      },
      std::chrono::seconds{20});
  if (!runs)
    return runs.error();
  if (!x.ticks->wait_for_ticks(3, std::chrono::seconds{10}))
    return make_failure(runtime_errc::timed_out, "the guest ticks no more after its migration");
  auto m = summary_of(*ended, took.count());
  m.disturbed_by = middle.what;
  m.tick_gap_ms = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                            x.ticks->largest_gap(begin, clock::now()))
                                            .count());
  char line[200];
  std::snprintf(line, sizeof line,
                "%s: %.2f s, largest gap %llu ms, %.1f MiB of guest in %.1f MiB on the wire, %s",
                m.outcome.c_str(), m.seconds, static_cast<unsigned long long>(m.tick_gap_ms),
                static_cast<double>(m.guest_bytes) / bytes_per_mib,
                static_cast<double>(m.wire_bytes) / bytes_per_mib,
                m.chain_ok ? "digests agree" : "no digest");
  x.out.say(m.from + " > " + m.to + ' ' + line);
  if (const auto why = field_text(*ended, "reason"); !why.empty())
    x.out.say("  because " + why);
  x.summary.migrations.push_back(m);
  return m;
}

} // namespace novacron
