#include "observer.hpp"

#include "runtime/cli/render.hpp"
#include "tests/becomes_true.hpp"

#include <algorithm>
#include <map>

namespace novacron::chaos {

using namespace std::chrono_literals;

namespace {

constexpr auto look_every = 100ms;
constexpr auto answer_limit = 1s;

bool well(const cluster_sight& x) {
  return x.answered && !x.leader.empty() && x.online == lab::controllers.size()
         && x.hosts_up == lab::hosts.size();
}

} // namespace

observer::observer(const lab& where) : lab_{where} {
  for (const int node : lab::asked)
    sights_[node] = {};
  for (const int node : lab::asked)
    threads_.emplace_back([this, node] { look(node); });
}

observer::~observer() {
  stopping_ = true;
  for (auto& each : threads_)
    each.join();
}

void observer::look(int node) {
  client_request call;
  call.limit = answer_limit;
  while (!stopping_) {
    cluster_sight seen;
    seen.asked = clock::now();
    seen.life = lab_.lives(node);
    call.path = "/api/v1/cluster";
    const auto cluster = lab_.ask(node, call);
    call.path = "/api/v1/hosts";
    const auto hosts = lab_.ask(node, call);
    seen.answered = cluster && cluster->ok() && hosts && hosts->ok();
    if (seen.answered) {
      seen.term = static_cast<uint64_t>(field_number(cluster->body, "term"));
      if (const auto* members = field(cluster->body, "members").if_array())
        for (const auto& each : *members) {
          seen.online += field_text(each, "online") != "false" ? 1 : 0;
          if (field_text(each, "leader") == "true")
            seen.leader = field_text(each, "name");
        }
      if (const auto* items = field(hosts->body, "items").if_array())
        seen.hosts_up = static_cast<unsigned>(std::ranges::count_if(
            *items, [](const auto& x) { return field_text(x, "state") == "up"; }));
    }
    note(node, seen);
    std::this_thread::sleep_until(seen.asked + look_every);
  }
}

void observer::note(int node, const cluster_sight& seen) {
  std::lock_guard lock{mutex_};
  auto& last = sights_.at(node);
  const bool other_leader = last.answered && (last.leader != seen.leader || last.term != seen.term);
  const bool knows = well(seen) || (last.knows && last.life == seen.life);
  if (seen.answered && knows && (!well(seen) || other_leader))
    changes_.push_back({seen.asked, clock::now()});
  last = seen;
  last.knows = knows;
}

int observer::leader() const {
  std::lock_guard lock{mutex_};
  std::map<std::string, int> votes;
  for (const auto& [node, each] : sights_)
    if (each.answered && !each.leader.empty())
      ++votes[each.leader];
  for (const auto& [name, count] : votes)
    if (count > static_cast<int>(sights_.size()) / 2)
      return name.back() - '0';
  return 0;
}

bool observer::whole_since(clock::time_point since) const {
  std::lock_guard lock{mutex_};
  const auto& leader = sights_.begin()->second.leader;
  return std::ranges::all_of(sights_, [&](const auto& each) {
    const auto& sight = each.second;
    return sight.asked >= since && well(sight) && sight.leader == leader;
  });
}

std::optional<observer::clock::time_point>
observer::await_whole(clock::time_point since, std::chrono::milliseconds limit) const {
  if (!becomes_true(
          limit, [&] { return whole_since(since); }, 10ms))
    return {};
  return clock::now();
}

std::optional<observer::clock::time_point> observer::noticed_since(clock::time_point since) const {
  std::lock_guard lock{mutex_};
  for (const auto& each : changes_)
    if (each.asked >= since)
      return each.at;
  return {};
}

std::string observer::text() const {
  std::lock_guard lock{mutex_};
  std::string all;
  for (const auto& [node, x] : sights_) {
    all += (all.empty() ? "" : "; ") + lab::name(node) + ": "
           + (x.answered ? "leader " + (x.leader.empty() ? "none" : x.leader) + ", "
                               + std::to_string(x.online) + " members, "
                               + std::to_string(x.hosts_up) + " hosts up"
                         : "no answer");
  }
  return all;
}

} // namespace novacron::chaos
