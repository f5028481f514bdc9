#include "runtime/demo/story.hpp"
#include "runtime/errors.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <thread>

namespace novacron {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds recovery_limit{10};
constexpr std::chrono::milliseconds look_every{5};
constexpr int attempts = 3; ///< at disturbing a migration

uint64_t ms_since(clock::time_point begin) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begin).count());
}

result<client_reply> kill_actor_at(story& x, const std::string& node, const std::string& path) {
  client_request call;
  call.method = "POST";
  call.path = "/api/v1/chaos/kill";
  call.body = boost::json::serialize(boost::json::object{{"node", node}, {"actor", path}});
  return x.cluster.api().ask(call);
}

result<void> must_kill(story& x, const std::string& node, const std::string& path) {
  auto reply = kill_actor_at(x, node, path);
  if (!reply)
    return reply.error();
  if (!reply->ok())
    return make_failure(runtime_errc::answer, "killing " + path + " on " + node
                                                  + " was answered with "
                                                  + std::to_string(reply->status) + ' '
                                                  + boost::json::serialize(reply->body));
  return {};
}

/// An actor that lives answers that it has no child of that name to kill; a
/// supervisor without the actor, that nobody lives there.
bool lives(story& x, const std::string& node, const std::string& path) {
  auto reply = kill_actor_at(x, node, path + "/none");
  return reply && field_text(reply->body, "detail").find("has no children") != std::string::npos;
}

std::string text_after(const std::filesystem::path& file, std::streamoff offset) {
  std::ifstream in{file, std::ios::binary};
  in.seekg(offset);
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string other_than(const std::string& host) {
  return host == "node-2" ? "node-3" : "node-2";
}

void note_kill(story& x, const std::string& what, bool recovered, clock::time_point begin) {
  const kill_summary kill{what, recovered, ms_since(begin)};
  x.summary.kills.push_back(kill);
  x.out.say(what
            + (recovered ? ": back after " + std::to_string(kill.recovered_ms) + " ms"
                         : ": did not come back"));
}

/// What is killed while a migration runs, and how one sees that it is back.
struct victim {
  std::string what;
  std::function<result<void>(const std::string& migration)> kill;
  std::function<bool()> is_back;
};

/// Kills in the middle of a migration to `to`. One that is rolled back is asked
/// for again; one that was over before its middle is no trial: nothing was killed.
result<bool> kill_during_migration(story& x, const std::string& to, const victim& who) {
  std::optional<clock::time_point> begin;
  x.out.say("migrating to " + to);
  auto disturbed = migrate(x, to, {who.what, [&](const std::string& migration) {
                                     begin = clock::now();
                                     return who.kill(migration);
                                   }});
  if (begin)
    note_kill(x, who.what, disturbed.has_value() && who.is_back(), *begin);
  if (!disturbed)
    return disturbed.error();
  if (disturbed->outcome == "done")
    return begin.has_value();
  x.out.say("rolled back, the guest runs where it was; asking again");
  if (auto again = migrate(x, to); !again)
    return again.error();
  return begin.has_value();
}

/// Migrates until one could be disturbed. `name` makes the victim, by the host
/// that the guest leaves.
result<void> disturb_a_migration(story& x,
                                 const std::function<victim(const std::string& from)>& name) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    auto from = host_of_guest(x);
    if (!from)
      return from.error();
    auto killed = kill_during_migration(x, other_than(*from), name(*from));
    if (!killed)
      return killed.error();
    if (*killed)
      return {};
    x.out.say("it was over before its middle; once more");
  }
  return make_failure(
      runtime_errc::timed_out,
      "no migration lasted long enough to be disturbed; give the guest more memory");
}

} // namespace

result<void> kill_vm_actor(story& x) {
  auto host = host_of_guest(x);
  if (!host)
    return host.error();
  const auto log = x.cluster.log_of(*host);
  std::error_code none;
  const auto before = static_cast<std::streamoff>(std::filesystem::file_size(log, none));
  const auto begin = clock::now();
  if (auto killed = must_kill(x, *host, "guests/vm-" + x.vm); !killed)
    return killed;
  const auto death = "\"child\":\"vm-" + x.vm;
  bool recovered = false;
  while (!recovered && clock::now() < begin + recovery_limit) {
    recovered = text_after(log, before).find(death) != std::string::npos
                && lives(x, *host, "guests/vm-" + x.vm);
    std::this_thread::sleep_for(look_every);
  }
  note_kill(x, "the vm's actor on " + *host, recovered, begin);
  return {};
}

result<void> kill_migration_actor(story& x) {
  return disturb_a_migration(x, [&x](const std::string& from) {
    return victim{"the migration's actor on " + from,
                  [&x, from](const std::string& migration) {
                    return must_kill(x, from, "guests/migration-" + migration);
                  },
                  [] { return true; }}; // the migration ended, which only an actor can do
  });
}

result<void> kill_agent(story& x) {
  return disturb_a_migration(x, [&x](const std::string& from) {
    return victim{"node-2's agent (" + std::string{from == "node-2" ? "source" : "destination"}
                      + ')',
                  [&x](const std::string&) -> result<void> {
                    if (x.cluster.nodes().kill("node-2") == 0)
                      return make_failure(runtime_errc::process, "node-2 was dead already");
                    return {};
                  },
                  [&x] { return x.cluster.nodes().pid("node-2") != 0; }};
  });
}

} // namespace novacron
