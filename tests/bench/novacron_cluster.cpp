#include "novacron_cluster.hpp"

#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/own_certificate.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace novacron::bench {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto client_name = "client";
/// The same at both ends of the mesh.
constexpr auto heartbeat = 1'000ms;
constexpr auto silence = 5'000ms;

std::string name_of(int node) {
  return "node-" + std::to_string(node);
}

node_id owner_of(const fs::path& certificate) {
  std::ifstream in{certificate};
  auto identity = identity_of(std::string{std::istreambuf_iterator<char>{in}, {}});
  if (!identity)
    throw std::runtime_error{identity.error().message};
  return identity->node;
}

} // namespace

novacron_cluster::novacron_cluster(fs::path folder, int voters)
    : folder_{std::move(folder)}, voters_{voters}, port_{free_ports(voters)},
      servers_{folder_, [this](int node) { return command_of(node); }} {
  std::vector<planned_node> nodes;
  for (int node = 1; node <= voters; ++node)
    nodes.push_back({name_of(node), {node_role::controller}, {}});
  nodes.push_back({client_name, {node_role::gateway, node_role::host}, {}});
  fs::create_directories(folder_);
  const auto cluster = folder_ / "cluster";
  if (auto made = init_cluster(cluster, nodes); !made)
    throw std::runtime_error{made.error().message};
  auto id = read_cluster_id(cluster / "cluster-id");
  if (!id)
    throw std::runtime_error{id.error().message};
  for (int node = 1; node <= voters; ++node)
    ids_.push_back(owner_of(cluster / (name_of(node) + ".pem")));
  client_id_ = owner_of(cluster / "client.pem");
  client_mesh_.files = {cluster / "client.pem", cluster / "client.key", cluster / "ca.pem"};
  client_mesh_.cluster = *id;
  client_mesh_.heartbeat = heartbeat;
  client_mesh_.timeout = silence;
  for (int node = 1; node <= voters; ++node)
    write_config(node);
  for (int node = 1; node <= voters; ++node)
    servers_.start(node);
}

address novacron_cluster::door_of(int node) const {
  return {"127.0.0.1", static_cast<uint16_t>(port_ + node - 1)};
}

int novacron_cluster::number_of(node_id node) const {
  auto found = std::ranges::find(ids_, node);
  return found == ids_.end() ? 0 : static_cast<int>(found - ids_.begin()) + 1;
}

child_command novacron_cluster::command_of(int node) const {
  return {NOVACRON_PROGRAM,
          {"node", "--config", (folder_ / (name_of(node) + ".toml")).string(), "--folder",
           folder_.string()},
          {}};
}

void novacron_cluster::write_config(int node) const {
  std::string controllers;
  for (int each = 1; each <= voters_; ++each)
    controllers += (each == 1 ? "\"" : ", \"") + to_string(door_of(each)) + '"';
  const auto name = name_of(node);
  std::ofstream out{folder_ / (name + ".toml")};
  out << "[node]\nname = \"" << name << "\"\nroles = [\"controller\"]\nstate = \"" << name
      << "\"\ncluster = \"cluster/cluster-id\"\n\n[mesh]\nlisten = \"" << to_string(door_of(node))
      << "\"\ncontrollers = [" << controllers << "]\n\n";
  if (voters_ > 1)
    out << "[controller]\nfounders = \"cluster/founders\"\n\n";
  out << "[tls]\ncertificate = \"cluster/" << name << ".pem\"\nkey = \"cluster/" << name
      << ".key\"\nauthority = \"cluster/ca.pem\"\n";
  if (!out.flush())
    throw std::runtime_error{"cannot write below " + folder_.string()};
}

} // namespace novacron::bench
