#include "cluster_lab.hpp"

#include <atomic>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <map>
#include <mutex>
#include <random>
#include <thread>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto chaos_lasts = 60s;
constexpr auto kill_every = 400ms;
constexpr auto settle_limit = 60s;
constexpr int workers = 3;
constexpr uint32_t seed = 2'026;
const std::string a_guest = "guests/vm-";

struct placed_vm {
  std::string id;
  std::string host;
};

/// The vms that were created to stay, as the killer sees them.
class vm_list {
public:
  void add(const client_reply& made) {
    std::lock_guard lock{mutex_};
    vms_.push_back({field_text(made.body, "id"), field_text(made.body, "host")});
  }
  [[nodiscard]] std::vector<placed_vm> all() const {
    std::lock_guard lock{mutex_};
    return vms_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<placed_vm> vms_;
};

/// Creates VMs and asks one thing after the other of them, until `over`.
void work(const cluster_lab& lab, int number, vm_list& vms, const std::atomic<bool>& over,
          std::atomic<int>& accepted) {
  std::mt19937 random{seed + static_cast<uint32_t>(number)};
  for (int round = 0; !over; ++round) {
    const auto name = "chaos-" + std::to_string(number) + '-' + std::to_string(round);
    auto made = lab.insist("POST", "/api/v1/vms", vm_body(name, 16), name);
    if (made.status != 201)
      continue;
    const auto path = "/api/v1/vms/" + field_text(made.body, "id");
    const bool stays = round % 3 == 0;
    if (stays)
      vms.add(made);
    for (const std::string verb : {"/start", "/stop", "/start"})
      if (!over) {
        auto begun = lab.insist("POST", path + verb + (random() % 2 == 0 ? "?wait=2s" : ""), {},
                                name + verb + std::to_string(random()));
        accepted += begun.ok() ? 1 : 0;
      }
    if (!stays)
      accepted += lab.insist("DELETE", path, {}, name + "-delete").ok() ? 1 : 0;
  }
}

struct kill_counts {
  /// By the kind of actor; one that nobody answered counts: an answer may die with its bearer.
  std::map<std::string, int> by_kind;
  int answered = 0; ///< surely done
};

/// Kills one actor after the other.
kill_counts kill_actors(const cluster_lab& lab, const vm_list& vms) {
  const std::vector<std::string> controllers{"services/replica",  "services/feed",
                                             "services/frontend", "services/scheduler",
                                             "services/view",     "services/gateway"};
  const std::vector<std::string> all{"services/peers", "services/door", "host", a_guest, a_guest};
  std::mt19937 random{seed};
  kill_counts killed;
  const auto end = std::chrono::steady_clock::now() + chaos_lasts;
  for (size_t turn = 0; std::chrono::steady_clock::now() < end; ++turn) {
    auto node = "node-" + std::to_string(1 + random() % 3);
    auto actor = turn % 2 == 0 ? all[random() % all.size()] : "";
    if (actor.empty()) {
      node = "node-1";
      actor = controllers[turn / 2 % controllers.size()];
    }
    const auto kind = actor;
    if (const auto made = vms.all(); actor == a_guest && !made.empty()) {
      const auto& vm = made[random() % made.size()];
      actor += vm.id;
      node = vm.host;
    }
    auto reply = lab.ask("POST", "/api/v1/chaos/kill",
                         R"({"node":")" + node + R"(","actor":")" + actor + "\"}");
    killed.by_kind[kind] += !reply || reply->ok() ? 1 : 0;
    killed.answered += reply && reply->ok() ? 1 : 0;
    std::this_thread::sleep_for(kill_every); // the span between two kills
  }
  return killed;
}

/// What is not as it should be, now; empty: all is well.
std::string unsettled(const cluster_lab& lab) {
  std::string wrong;
  for (const auto& operation : lab.list("operations"))
    if (field_text(operation, "state") == "running")
      wrong += boost::json::serialize(operation) + '\n';
  for (const auto& vm : lab.list("vms")) {
    const auto requested = field_text(vm, "requested");
    const auto actual = field_text(vm, "actual");
    const bool agrees = requested == actual || (requested == "stopped" && actual == "defined")
                        || (requested == "deleted" && actual == "gone");
    if (!agrees)
      wrong += boost::json::serialize(vm) + '\n';
  }
  return wrong;
}

} // namespace

TEST_CASE("after random actors were killed every operation has ended and states agree") {
  cluster_lab lab{true};
  lab.start_all();
  vm_list vms;
  std::atomic<bool> over{false};
  std::atomic<int> accepted{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < workers; ++number)
    threads.emplace_back([&, number] { work(lab, number, vms, over, accepted); });
  const auto killed = kill_actors(lab, vms);
  over = true;
  for (auto& thread : threads)
    thread.join();
  // It must have been tried at all.
  CHECK(vms.all().size() >= workers);
  CHECK(accepted >= workers);
  for (const auto& [kind, count] : killed.by_kind) {
    MESSAGE(kind << ": " << count << " kills");
    CHECK_MESSAGE(count > 0, kind);
  }
  CHECK(killed.answered >= 10);
  MESSAGE(killed.answered << " kills were answered; " << vms.all().size() << " vms that stay, "
                          << accepted.load() << " verbs accepted");

  REQUIRE_MESSAGE(lab.await_hosts(3), lab.end_of_log(1));
  std::string wrong;
  CHECK_MESSAGE(becomes_true(settle_limit,
                             [&] {
                               wrong = unsettled(lab);
                               return wrong.empty();
                             }),
                wrong);
  std::map<std::string, int> listed;
  for (const auto& vm : lab.list("vms"))
    ++listed[field_text(vm, "id")];
  for (const auto& vm : vms.all())
    CHECK_MESSAGE(listed[vm.id] == 1, "acknowledged, and listed " << listed[vm.id] << " times");
  for (int node = 1; node <= 3; ++node)
    CHECK_FALSE(lab.process(node).wait(0ms)); // none gave up
}
