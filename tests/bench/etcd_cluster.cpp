#include "etcd_cluster.hpp"

#include "runtime/certificates/cluster_init.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

namespace novacron::bench {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto program = "/usr/bin/etcd";
constexpr auto asks_for_version = "/usr/bin/etcd --version";
constexpr auto start_limit = 60s;

std::string name_of(int member) {
  return "etcd-" + std::to_string(member);
}

std::string url(uint16_t port) {
  return "https://127.0.0.1:" + std::to_string(port);
}

} // namespace

std::string etcd_cluster::version() {
  if (!std::filesystem::exists(program))
    return {};
  std::array<char, 256> line{};
  auto* out = ::popen(asks_for_version, "r");
  if (out == nullptr)
    return {};
  const bool read = std::fgets(line.data(), line.size(), out) != nullptr;
  ::pclose(out);
  std::string text = read ? line.data() : "";
  return text.substr(0, text.find('\n'));
}

etcd_cluster::etcd_cluster(std::filesystem::path folder, int voters)
    : folder_{std::move(folder)}, voters_{voters}, port_{free_ports(2 * voters)},
      servers_{folder_, [this](int member) { return command_of(member); }} {
  std::vector<planned_node> nodes;
  for (int member = 1; member <= voters; ++member)
    nodes.push_back({name_of(member), {node_role::controller}, {}});
  nodes.push_back({"client", {node_role::gateway}, {}});
  std::filesystem::create_directories(folder_);
  if (auto made = init_cluster(folder_ / "cluster", nodes); !made)
    throw std::runtime_error{made.error().message};
  for (int member = 1; member <= voters; ++member)
    servers_.start(member);
  await_all();
}

child_command etcd_cluster::command_of(int member) const {
  const auto client = url(static_cast<uint16_t>(port_ + 2 * (member - 1)));
  auto peer = [&](int each) { return url(static_cast<uint16_t>(port_ + 2 * (each - 1) + 1)); };
  std::string all;
  for (int each = 1; each <= voters_; ++each)
    all += (each == 1 ? "" : ",") + name_of(each) + '=' + peer(each);
  const auto cluster = folder_ / "cluster";
  const auto certificate = (cluster / (name_of(member) + ".pem")).string();
  const auto key = (cluster / (name_of(member) + ".key")).string();
  const auto authority = (cluster / "ca.pem").string();
  return {program,
          {"--name",
           name_of(member),
           "--data-dir",
           (folder_ / name_of(member)).string(),
           "--listen-client-urls",
           client,
           "--advertise-client-urls",
           client,
           "--listen-peer-urls",
           peer(member),
           "--initial-advertise-peer-urls",
           peer(member),
           "--initial-cluster",
           all,
           "--cert-file",
           certificate,
           "--key-file",
           key,
           "--trusted-ca-file",
           authority,
           "--client-cert-auth",
           "--peer-cert-file",
           certificate,
           "--peer-key-file",
           key,
           "--peer-trusted-ca-file",
           authority,
           "--peer-client-cert-auth",
           "--logger",
           "zap",
           "--log-level",
           "warn"},
          {}};
}

etcd_endpoint etcd_cluster::endpoint_of(int member) const {
  const auto cluster = folder_ / "cluster";
  return {"127.0.0.1:" + std::to_string(port_ + 2 * (member - 1)), cluster / "client.pem",
          cluster / "client.key", cluster / "ca.pem"};
}

int etcd_cluster::leader() {
  int found = 0;
  wait_until("etcd has a leader", start_limit, [&] {
    for (int member = 1; member <= voters_; ++member)
      if (servers_.runs(member) && etcd_leads(endpoint_of(member))) {
        found = member;
        return true;
      }
    return false;
  });
  return found;
}

void etcd_cluster::await_all() {
  for (int member = 1; member <= voters_; ++member)
    wait_until("etcd's member " + std::to_string(member) + " stands", start_limit,
               [&] { return etcd_follows(endpoint_of(member)); });
}

load_result etcd_cluster::load(const load_plan& plan) {
  return etcd_load(endpoint_of(leader()), ++runs_, plan);
}

std::chrono::duration<double, std::milli> etcd_cluster::kill_leader() {
  const auto victim = leader();
  std::vector<etcd_endpoint> endpoints;
  for (int member = 1; member <= voters_; ++member)
    endpoints.push_back(endpoint_of(member));
  etcd_writers writing{endpoints, ++runs_};
  const auto begin = clock::now();
  wait_until("etcd's first write", start_limit,
             [&] { return writing.first_sent_after(begin).has_value(); });
  const auto killed = clock::now();
  servers_.kill(victim);
  wait_until("etcd's write after its leader's death", start_limit,
             [&] { return writing.first_sent_after(killed).has_value(); });
  const std::chrono::duration<double, std::milli> pause
      = *writing.first_sent_after(killed) - killed;
  writing.stop();
  servers_.start(victim);
  await_all();
  return pause;
}

} // namespace novacron::bench
