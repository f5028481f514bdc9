#include "counted_cluster.hpp"

#include "messages/uuid.hpp"

#include <csignal>
#include <doctest/doctest.h>
#include <sys/types.h>

namespace novacron::test {

using namespace std::chrono_literals;

namespace {

constexpr auto look_every = 20ms;
constexpr int last_host = 3;

} // namespace

counted_cluster::counted_cluster(lab_plan plan, const std::vector<std::string>& settings,
                                 size_t hosts)
    : lab{true, settings, plan} {
  lab.start_all(hosts);
  counter_ = std::thread{[this] {
    for (; !over_; std::this_thread::sleep_for(look_every)) // the span between two looks
      count();
  }};
}

counted_cluster::~counted_cluster() {
  over_ = true;
  counter_.join();
}

machine_config counted_cluster::machine(int node) const {
  return machine_of_node(lab.folder() / ("node-" + std::to_string(node)));
}

std::set<int> counted_cluster::places(const std::string& id) const {
  std::set<int> found;
  for (int node = 1; node <= last_host; ++node)
    if (auto sight = look_at_machine(machine(node)))
      for (const auto& guest : sight->guests)
        if (to_string(guest.vm) == id && guest.phase == guest_phase::running)
          found.insert(node);
  return found;
}

std::pair<std::string, std::string> counted_cluster::run_everywhere() {
  const std::string with_ha = ",\"restart\":\"on_failure\"";
  std::pair<std::string, std::string> there;
  for (const auto& [kind, more] : {std::pair{"guarded-", with_ha}, {"plain-", std::string{}}})
    for (int n = 1; n <= last_host; ++n) {
      const auto name = kind + std::to_string(n);
      auto made = lab.insist("POST", "/api/v1/vms", vm_body(name, 16, more), name);
      REQUIRE(made.status == 201);
      const auto id = field_text(made.body, "id");
      ids.push_back(id);
      (more.empty() ? plain : ha).push_back(id);
      REQUIRE(lab.end_of(lab.insist("POST", "/api/v1/vms/" + id + "/start", {}, name + "-start"))
              == "succeeded");
      if (field_text(made.body, "host") == "node-3")
        (more.empty() ? there.second : there.first) = id;
    }
  REQUIRE(!there.first.empty());
  REQUIRE(!there.second.empty());
  return there;
}

void counted_cluster::power_off(int node) {
  const auto sight = look_at_machine(machine(node));
  REQUIRE(sight.has_value());
  lab.kill(node);
  REQUIRE(::kill(sight->pid, SIGKILL) == 0);
}

bool counted_cluster::runs_away_from(const std::string& id, int node,
                                     std::chrono::milliseconds limit) const {
  return becomes_true(limit, [&] {
    const auto where = places(id);
    return where.size() == 1 && !where.contains(node) && text_of(id, "actual") == "running"
           && text_of(id, "host") != "node-" + std::to_string(node);
  });
}

std::string counted_cluster::text_of(const std::string& id, const std::string& name) const {
  auto reply = lab.ask("GET", "/api/v1/vms/" + id);
  return reply && reply->ok() ? field_text(reply->body, name) : std::string{};
}

std::set<std::string> counted_cluster::seen_twice() {
  std::lock_guard lock{mutex_};
  return twice_;
}

void counted_cluster::count() {
  std::set<std::string> running;
  for (int node = 1; node <= last_host; ++node)
    if (auto sight = look_at_machine(machine(node)))
      for (const auto& guest : sight->guests)
        if (guest.phase == guest_phase::running && !running.insert(to_string(guest.vm)).second) {
          std::lock_guard lock{mutex_};
          twice_.insert(to_string(guest.vm));
        }
}

} // namespace novacron::test
