#include "runtime/demo/story.hpp"
#include "runtime/errors.hpp"

#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <thread>

namespace novacron {

namespace {

using clock = std::chrono::steady_clock;

constexpr int creates = 30;
constexpr int killed_after = 10; ///< acknowledged creates
constexpr std::chrono::seconds answer_limit{30};
constexpr std::chrono::milliseconds ask_again{20};
constexpr auto prefix = "written-";

/// Creates one VM that is never started; asks again with the same key until
/// there is an answer. Returns its id.
result<std::string> create_one(story& x, const std::string& name) {
  client_request call;
  call.method = "POST";
  call.path = "/api/v1/vms";
  call.idempotency_key = "demo-" + name;
  call.limit = std::chrono::seconds{2};
  call.body = boost::json::serialize(
      boost::json::object{{"name", name}, {"vcpus", 1}, {"memory_mib", 16}, {"image", "tick"}});
  const auto deadline = clock::now() + answer_limit;
  std::string last;
  while (clock::now() < deadline) {
    auto reply = x.cluster.api().ask(call);
    if (reply && reply->status == 201)
      return field_text(reply->body, "id");
    last = reply ? std::to_string(reply->status) + ' ' + boost::json::serialize(reply->body)
                 : reply.error().message;
    if (reply && reply->status < 500)
      break;
    std::this_thread::sleep_for(ask_again);
  }
  return make_failure(runtime_errc::answer,
                      "creating " + name + " was never acknowledged: " + last);
}

/// Ids of all VMs by our names, however often each is listed.
result<std::multimap<std::string, std::string>> listed(story& x) {
  std::multimap<std::string, std::string> found;
  std::string cursor;
  do {
    auto page = x.cluster.await(
        "/api/v1/vms?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor),
        [](const auto& list) { return field(list, "items").is_array(); }, answer_limit);
    if (!page)
      return page.error();
    for (const auto& vm : field(*page, "items").as_array())
      if (auto name = field_text(vm, "name"); name.starts_with(prefix))
        found.emplace(std::move(name), field_text(vm, "id"));
    cursor = field_text(*page, "next_cursor");
  } while (!cursor.empty());
  return found;
}

uint64_t count_lost(const std::map<std::string, std::string>& acknowledged,
                    const std::multimap<std::string, std::string>& found) {
  uint64_t lost = 0;
  for (const auto& [name, id] : acknowledged) {
    const auto at = found.find(name);
    lost += found.count(name) != 1 || at->second != id ? 1 : 0;
  }
  return lost;
}

} // namespace

result<void> kill_controller(story& x) {
  std::atomic<int> acknowledged_so_far{0};
  std::atomic<clock::time_point> killed_at{clock::time_point{}};
  std::jthread killer{[&](const std::stop_token& stop) {
    while (!stop.stop_requested() && acknowledged_so_far < killed_after)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    if (!stop.stop_requested() && x.cluster.nodes().kill("node-1") != 0)
      killed_at = clock::now();
  }};
  const std::string what = "node-1, the only controller";
  std::map<std::string, std::string> acknowledged;
  bool recovered = false;
  for (int i = 0; i < creates; ++i) {
    const auto name = prefix + std::to_string(i);
    const auto asked = clock::now();
    auto id = create_one(x, name);
    if (!id)
      return id.error();
    acknowledged.emplace(name, *id);
    ++acknowledged_so_far;
    const auto kill = killed_at.load();
    // An answer to what was asked before the kill may have been on its way.
    if (!recovered && kill != clock::time_point{}
        && (asked > kill || clock::now() > kill + std::chrono::milliseconds{200})) {
      recovered = true;
      const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - kill);
      x.summary.kills.push_back({what, true, static_cast<uint64_t>(ms.count())});
      x.out.say(what + ": creates are acknowledged again after " + std::to_string(ms.count())
                + " ms");
    }
  }
  if (!recovered)
    x.summary.kills.push_back({what, false, 0});
  x.summary.acknowledged_writes += acknowledged.size();
  auto found = listed(x);
  if (!found)
    return found.error();
  x.summary.writes_lost += count_lost(acknowledged, *found);
  x.out.say(std::to_string(acknowledged.size()) + " creates were acknowledged, "
            + std::to_string(found->size()) + " are listed, "
            + std::to_string(x.summary.writes_lost) + " lost or twice there");
  for (const auto& [name, id] : acknowledged)
    if (auto deleted = carry_out(x, "DELETE", "/api/v1/vms/" + id); !deleted)
      return deleted;
  x.out.say("deleted them again");
  return {};
}

} // namespace novacron
