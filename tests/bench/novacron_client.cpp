#include "novacron_client.hpp"

#include "actors/peer/any_controller.hpp"

#include <stdexcept>
#include <thread>

namespace novacron::bench {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto start_limit = 60s;
constexpr auto catch_up_limit = 60s;
constexpr uint64_t small_lag = 16; // entries, under writes
constexpr uint32_t plenty = 1u << 28;

} // namespace

novacron_client::mesh_system::mesh_system(const mesh_config& mesh) {
  if (auto ready = configure_mesh(*this, mesh); !ready)
    throw std::runtime_error{ready.error().message};
}

novacron_client::novacron_client(novacron_cluster& cluster)
    : cluster_{cluster}, config_{cluster.client_mesh()}, system_{config_} {
  auto identity = read_mesh_identity(cluster.client_mesh().files);
  if (!identity)
    throw std::runtime_error{identity.error().message};
  identity_ = std::make_shared<mesh_identity>(std::move(*identity));
  identity_->node = cluster.client_id();
  identity_->name = "client";
  identity_->cluster = cluster.client_mesh().cluster;
  await_all();
  host_record host;
  host.id = cluster.client_id();
  host.name = "client";
  host.vcpus = plenty;
  host.memory_mib = plenty;
  host.images = {"none"};
  insist(register_host{host});
}

novacron_client::~novacron_client() {
  for (const auto& [node, link] : links_)
    caf::anon_send_exit(link, caf::exit_reason::kill);
}

link_config novacron_client::link_to(int node) const {
  link_config config;
  config.self = identity_;
  config.remote = cluster_.door_of(node);
  config.expected_role = node_role::controller;
  return config;
}

link_actor& novacron_client::kept_link(int node) {
  auto& link = links_[node];
  if (!link)
    link = system_.spawn(novacron::link, link_to(node));
  return link;
}

std::optional<group_status> novacron_client::status(int node) {
  std::optional<group_status> out;
  caf::scoped_actor self{system_};
  self->request(kept_link(node), 2s, group_status_request{})
      .receive([&](const group_status& answer) { out = answer; }, [](const caf::error&) {});
  return out;
}

void novacron_client::forget(int node) {
  if (auto link = links_.extract(node))
    caf::anon_send_exit(link.mapped(), caf::exit_reason::kill);
}

int novacron_client::leader() {
  int found = 0;
  wait_until("a leader", start_limit, [&] {
    for (int node = 1; node <= cluster_.voters(); ++node)
      if (auto seen = cluster_.processes().runs(node) ? status(node) : std::nullopt;
          seen && seen->by_leader()) {
        found = cluster_.number_of(seen->leads);
        return true;
      }
    return false;
  });
  return found;
}

void novacron_client::await_all() {
  wait_until("all voters are there, and have what the leader has", catch_up_limit, [&] {
    auto seen = status(leader());
    auto good = [&](const group_member& each) {
      return each.online && each.stored_index + small_lag >= seen->commit_index;
    };
    return seen && seen->members.size() == static_cast<size_t>(cluster_.voters())
           && (cluster_.voters() == 1 || std::ranges::all_of(seen->members, good));
  });
}

bool novacron_client::try_propose(const link_actor& link, const command_body& what) {
  bool good = false;
  caf::scoped_actor self{system_};
  self->request(link, 8s, proposal{{command{what, {}}}})
      .receive([&](const outcomes& x) { good = x.each.size() == 1 && x.each.front().ok(); },
               [](const caf::error&) {});
  return good;
}

void novacron_client::insist(const command_body& what) {
  wait_until("a proposal is accepted", start_limit,
             [&] { return try_propose(kept_link(leader()), what); });
}

vm_source novacron_client::source(size_t value_bytes) {
  return {++runs_, cluster_.client_id(), value_bytes};
}

load_result novacron_client::load(const load_plan& plan) {
  std::promise<load_result> done;
  auto result = done.get_future();
  write_for(system_, kept_link(leader()), source(plan.value_bytes), plan, std::move(done));
  if (result.wait_for(plan.warm_up + plan.lasts + 60s) != std::future_status::ready)
    throw std::runtime_error{"the load doesn't end"};
  return result.get();
}

void novacron_client::create(size_t count, size_t value_bytes) {
  std::promise<void> done;
  auto ready = done.get_future();
  write_count(system_, kept_link(leader()), source(value_bytes), 512, count, false,
              std::move(done));
  ready.wait();
}

void novacron_client::write_entries(size_t count) {
  std::promise<void> done;
  auto ready = done.get_future();
  write_count(system_, kept_link(leader()), source(0), 1, count, true, std::move(done));
  ready.wait();
}

std::chrono::duration<double, std::milli> novacron_client::kill_leader() {
  std::vector<address> doors;
  for (int node = 1; node <= cluster_.voters(); ++node)
    doors.push_back(cluster_.door_of(node));
  const auto victim = leader();
  auto way = system_.spawn(any_controller, link_to(1), doors);
  auto seen = std::make_shared<acknowledgements>();
  auto writer = write_on(system_, way, source(256), seen);
  const auto begin = clock::now();
  wait_until("the first write", start_limit,
             [&] { return seen->first_sent_after(begin).has_value(); });
  const auto killed = clock::now();
  cluster_.processes().kill(victim);
  wait_until("a write after the leader's death", start_limit,
             [&] { return seen->first_sent_after(killed).has_value(); });
  const std::chrono::duration<double, std::milli> pause = *seen->first_sent_after(killed) - killed;
  caf::anon_send_exit(writer, caf::exit_reason::kill);
  caf::anon_send_exit(way, caf::exit_reason::kill);
  forget(victim);
  cluster_.processes().start(victim);
  await_all();
  return pause;
}

std::chrono::duration<double, std::milli> novacron_client::until_first_commit(int node) {
  const auto begin = clock::now();
  for (;;) {
    if (clock::now() - begin > start_limit)
      throw std::runtime_error{"no commit after a restart"};
    // A link tries ever more slowly, which would be measured with it.
    auto fresh = system_.spawn(novacron::link, link_to(node));
    const auto give_up = clock::now() + 200ms;
    auto good = false;
    while (!good && clock::now() < give_up) {
      good = try_propose(fresh, barrier{});
      if (!good)
        std::this_thread::sleep_for(2ms);
    }
    caf::anon_send_exit(fresh, caf::exit_reason::kill);
    if (good)
      return clock::now() - begin;
  }
}

} // namespace novacron::bench
