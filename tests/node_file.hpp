#pragma once

#include "messages/records.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

namespace novacron {

/// What a node of a lab starts from, where no file of cluster-configs has its roles.
/// Addresses are as in "127.0.0.1:7101"; paths begin where the node's own do.
struct node_file {
  std::string name;
  std::vector<node_role> roles;
  std::string mesh;                     ///< its door
  std::vector<std::string> controllers; ///< theirs
  std::string gateway;                  ///< its API; of gateways
  std::string pages;           ///< its door for pages; of hosts, whose guests are simulated
  std::filesystem::path guest; ///< folder of their image's kernel and initramfs
  std::string image = "tick";  ///< what it is called
};

inline std::string to_toml(const node_file& x) {
  auto is = [&](node_role role) { return std::ranges::find(x.roles, role) != x.roles.end(); };
  auto list = [](const auto& items, auto text) {
    std::string all;
    for (const auto& each : items)
      all += (all.empty() ? "\"" : ", \"") + text(each) + '"';
    return '[' + all + ']';
  };
  std::ostringstream out;
  out << "[node]\nname = \"" << x.name
      << "\"\nroles = " << list(x.roles, [](node_role role) { return to_string(role); })
      << "\nstate = \"" << x.name << "\"\ncluster = \"cluster/cluster-id\"\n[mesh]\nlisten = \""
      << x.mesh
      << "\"\ncontrollers = " << list(x.controllers, [](const std::string& at) { return at; })
      << "\n[tls]\ncertificate = \"cluster/" << x.name << ".pem\"\nkey = \"cluster/" << x.name
      << ".key\"\nauthority = \"cluster/ca.pem\"\n";
  if (is(node_role::controller))
    out << "[controller]\nfounders = \"cluster/founders\"\n";
  if (is(node_role::gateway))
    out << "[gateway]\nlisten = \"" << x.gateway
        << "\"\ntokens = \"cluster/tokens\"\nauthority_key = \"cluster/ca.key\"\n";
  if (is(node_role::host))
    out << "[host]\nhypervisor = \"simulated\"\npage_listen = \"" << x.pages
        << "\"\nvcpus = 1024\nmemory_mib = 1000000\n[host.images." << x.image << "]\nkernel = \""
        << (x.guest / "vmlinuz").string() << "\"\ninitrd = \"" << (x.guest / "initrd.gz").string()
        << "\"\n";
  return out.str();
}

} // namespace novacron
