#include "hypervisor/fencer/pid_handle.hpp"
#include "runtime/demo/story.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <thread>

namespace novacron {

namespace {

constexpr std::chrono::seconds boot_limit{60};
constexpr uint64_t first_ticks = 10;
constexpr unsigned made = 201; ///< HTTP's
constexpr unsigned accepted = 202;
constexpr std::chrono::milliseconds slowest_tick{500};

} // namespace

result<client_reply> demand(story& x, const std::string& method, const std::string& path,
                            const std::string& body, unsigned status) {
  client_request call;
  call.method = method;
  call.path = path;
  call.body = body;
  auto reply = x.cluster.api().ask(call);
  if (reply && reply->status != status)
    return make_failure(runtime_errc::answer, method + ' ' + path + " was answered with "
                                                  + std::to_string(reply->status) + ' '
                                                  + boost::json::serialize(reply->body));
  return reply;
}

result<void> carry_out(story& x, const std::string& method, const std::string& path) {
  auto reply = demand(x, method, path, {}, accepted);
  if (!reply)
    return reply.error();
  ++x.summary.acknowledged_writes;
  const auto operation = field_text(reply->body, "id");
  auto ended = x.cluster.await(
      "/api/v1/operations/" + operation,
      [](const auto& now) { return field_text(now, "state") != "running"; }, boot_limit);
  if (!ended)
    return ended.error();
  if (field_text(*ended, "state") != "succeeded")
    return make_failure(runtime_errc::answer,
                        method + ' ' + path + " failed: " + field_text(*ended, "error"));
  return {};
}

result<void> start_guest(story& x) {
  // What is under the guest's checksum is no zeros: a committed stream is longer.
  x.summary.smallest_stream_bytes = x.plan.region_mib << 20;
  auto created = demand(
      x, "POST", "/api/v1/vms",
      boost::json::serialize(boost::json::object{{"name", "demo"},
                                                 {"vcpus", 1},
                                                 {"memory_mib", x.options.guest_memory_mib},
                                                 {"image", "tick"},
                                                 {"kernel_arguments", x.plan.arguments}}),
      made);
  if (!created)
    return created.error();
  ++x.summary.acknowledged_writes;
  x.vm = field_text(created->body, "id");
  x.out.say("vm demo is " + x.vm + ", " + std::to_string(x.options.guest_memory_mib)
            + " MiB, placed on " + field_text(created->body, "host"));
  x.ticks = std::make_unique<console_watch>(x.cluster.consoles_of(x.vm));
  if (auto started = carry_out(x, "POST", "/api/v1/vms/" + x.vm + "/start"); !started)
    return started;
  x.out.say("it runs, says its host; waiting for its ticks");
  if (!x.ticks->wait_for_ticks(first_ticks, boot_limit))
    return make_failure(runtime_errc::timed_out,
                        "the guest did not tick within " + std::to_string(boot_limit.count())
                            + " s; see " + x.cluster.consoles_of(x.vm).front().string()
                            + " and its like");
  x.out.say("it ticks every 100 ms, and checks " + std::to_string(x.plan.region_mib)
            + " MiB of its memory");
  return {};
}

result<std::string> host_of_guest(story& x) {
  auto vm = x.cluster.await(
      "/api/v1/vms/" + x.vm, [](const auto& now) { return !field_text(now, "host").empty(); },
      std::chrono::seconds{10});
  if (!vm)
    return vm.error();
  return field_text(*vm, "host");
}

result<void> pause_guest(story& x) {
  const auto guests = x.census->guests();
  const auto ours = std::find_if(guests.begin(), guests.end(), [&](const counted_guest& each) {
    return to_string(each.vm) == x.vm;
  });
  const auto process = ours == guests.end() ? pid_handle{} : pid_handle::open(ours->pid);
  x.out.say("holding the guest still for " + std::to_string(x.options.pause_guest.count())
            + " ms, on purpose");
  if (!process || !process.signal(SIGSTOP))
    return make_failure(runtime_errc::process, "--pause-guest: the guest's process is not there");
  std::this_thread::sleep_for(x.options.pause_guest);
  process.signal(SIGCONT);
  x.ticks->wait_for_ticks(2, std::chrono::seconds{10});
  return {};
}

void note_ticks(story& x, bool whole_pass) {
  const auto seen = x.ticks->summary();
  x.summary.ticks = seen.ticks;
  x.summary.guest_memory_ok = seen.memory_ok && whole_pass;
  x.summary.max_tick_gap_ms = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(seen.largest_gap).count());
  x.summary.repeated_ticks = seen.repeated;
  x.summary.guest_starts = seen.starts;
}

result<void> judge_guest(story& x) {
  const auto ticks = x.plan.ticks_of_a_pass;
  const bool whole = x.ticks->wait_for_ticks(ticks, slowest_tick * ticks);
  note_ticks(x, whole);
  x.out.say("after everything: " + std::to_string(x.summary.ticks) + " ticks, largest gap "
            + std::to_string(x.summary.max_tick_gap_ms) + " ms, memory "
            + (x.summary.guest_memory_ok ? "verified once more, ok" : "NOT ok"));
  return {};
}

result<void> end_guest(story& x) {
  if (auto stopped = carry_out(x, "POST", "/api/v1/vms/" + x.vm + "/stop"); !stopped)
    return stopped;
  x.out.say("stopped");
  if (auto deleted = carry_out(x, "DELETE", "/api/v1/vms/" + x.vm); !deleted)
    return deleted;
  x.out.say("deleted");
  return {};
}

} // namespace novacron
