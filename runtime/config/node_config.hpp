#pragma once

#include "dwcp/session/session.hpp"
#include "hypervisor/fencer/fencer.hpp"
#include "messages/address.hpp"
#include "messages/peer.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace novacron {

// What a node is told by its file. One struct per section of the file, named
// after it; members are named after their keys. Paths are absolute.

/// Is it all addresses of a machine, as 0.0.0.0 and :: are, rather than one of them?
bool is_wildcard(const address& x);

/// [mesh]
struct mesh_section {
  address listen;                   ///< the node's door, TLS only; no wildcard
  std::vector<address> controllers; ///< where the log is
};

/// [controller.backup]: where the cluster's state is backed up, and how often.
struct backup_section {
  std::filesystem::path folder; ///< of all controllers; each makes a folder of its own in it
  std::chrono::minutes every{60};
  uint32_t keep = 48; ///< the newest
};

/// What makes sure that a lost host is off: controller.fence_command, .fence_timeout_ms,
/// .fence_after_ms.
struct fence_section {
  std::vector<std::string> command; ///< an absolute path first; the host's name and uuid follow
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds after{30'000}; ///< that a host must have been unreachable
};

/// [controller], of nodes with that role; may be absent.
struct controller_section {
  std::filesystem::path founders; ///< the first voters, a line each; empty: this node alone
  /// It came to a cluster that had controllers: it founds nothing, and stands in
  /// nobody's list of controllers.
  bool joined = false;
  /// A leader that isn't heard for so long is replaced; the same on each controller,
  /// and longer than any round trip between them. Heartbeats are a fifth of it.
  std::chrono::milliseconds election{500};
  /// Where others read snapshots of the state; without it: any port of mesh.listen's address.
  std::optional<address> snapshot_listen;
  std::optional<backup_section> backup;
  std::optional<fence_section> fence;
};

/// What has one more gateway started when this one is full: gateway.scale_out_command,
/// .scale_out_after_ms, .scale_out_pause_ms.
struct scale_out_section {
  std::vector<std::string> command;        ///< an absolute path first; the node's name follows
  std::chrono::milliseconds after{2'000};  ///< that requests must have been sent away
  std::chrono::milliseconds pause{60'000}; ///< from a run's end on
};

/// [gateway], of nodes with that role.
struct gateway_section {
  address listen;                         ///< the API
  std::optional<address> operator_listen; ///< metrics
  std::filesystem::path tokens;           ///< a line per token: SHA-256 in hexadecimal, name
  std::filesystem::path authority_key; ///< the CA's: signs for nodes that join; empty: it doesn't
  uint32_t io_threads = 1;
  bool share_port = false;       ///< other gateway processes listen there, too
  uint32_t connections = 10'000; ///< and at most half of the process's descriptors
  uint32_t in_flight = 4'096;    ///< requests that wait for an answer; beyond: 503
  uint32_t bodies_mib = 64;      ///< of requests' bodies that are being read
  uint32_t answers_mib = 128;    ///< of large answers that are being sent
  std::optional<scale_out_section> scale_out;
};

enum class host_driver : uint8_t { libvirt, simulated };
std::string to_string(host_driver x);

/// [host.images.<name>]: what guests of that image boot.
struct image_section {
  std::filesystem::path kernel;
  std::filesystem::path initrd;
};

/// [host.networks.<name>]: what cards of guests in that network are plugged into.
struct network_section {
  std::string bridge;
};

/// [host], of nodes with that role.
struct host_section {
  host_driver hypervisor = host_driver::libvirt;
  libvirt_mode mode = libvirt_mode::session;
  std::string user = "novacron"; ///< whom session mode's libvirtd runs as
  address page_listen;           ///< the DWCP door
  std::optional<uint32_t> vcpus; ///< offers no more than this
  std::optional<uint64_t> memory_mib;
  uint32_t memory_overcommit_percent = 100; ///< guests' memory for what it offers
  uint32_t vcpu_overcommit_percent = 800;
  uint32_t migrations_at_once = 4;           ///< from and to it; others wait
  uint32_t migrations_between_sites = 2;     ///< between its site and any one other
  uint32_t migration_mbit = 0;               ///< pages that leave it, in sum; 0: no bound
  uint64_t kept_memory_mib = 0;              ///< pages of guests that left or came; 0: none
  std::map<std::string, std::string> labels; ///< [host.labels]: what placement rules ask for
  bool fencer = true;
  std::filesystem::path watchdog; ///< that the fencer pets; empty: none
  std::map<std::string, image_section> images;
  std::map<std::string, network_section> networks;
};

/// [lease]
struct lease_section {
  std::chrono::milliseconds term{10'000};
  std::chrono::milliseconds renew{2'000};
};

/// [timing]
struct timing_section {
  std::chrono::milliseconds heartbeat{1'000}; ///< between nodes; the same on each of them
  std::chrono::milliseconds silence{5'000};   ///< a node that is silent for so long is gone
  std::chrono::milliseconds stop{10'000};     ///< an orderly stop may take so long
};

/// [log]
struct log_section {
  std::string level = "info";
  std::filesystem::path file;           ///< empty: standard error
  size_t file_bytes = size_t{64} << 20; ///< then the next file is begun; no key
};

struct node_config {
  std::string name;
  node_id id;                   ///< from the file, or nil until the certificate was read
  cluster_id cluster;           ///< nil until the cluster's file was read
  std::vector<node_role> roles; ///< ascending, at least one
  std::filesystem::path state;
  std::filesystem::path cluster_file; ///< holds the cluster's uuid
  bool chaos = false;                 ///< may actors be killed on purpose, here and through here?
  mesh_section mesh;
  tls_files tls;
  controller_section controller;
  std::optional<gateway_section> gateway; ///< set iff the role is
  std::optional<host_section> host;       ///< set iff the role is
  lease_section lease;
  timing_section timing;
  log_section log;

  [[nodiscard]] bool has(node_role role) const;
};

/// How to read a file differently than it says.
struct config_overrides {
  std::filesystem::path folder;      ///< relative paths start here; empty: at the file's folder
  std::vector<std::string> settings; ///< "section.key=value"; a value that isn't TOML is text
};

/// Reads a node's file. Fails with one line, "file:line: what, expected, what to
/// do", at the first thing that is wrong: unknown keys and sections (with the
/// nearest known one), wrong types, missing keys (with an example), sections
/// without their role and roles without their section.
result<node_config> load_config(const std::filesystem::path& file,
                                const config_overrides& overrides = {});

/// The same for a text; `source` names it in complaints.
result<node_config> parse_config(std::string_view text, const std::string& source,
                                 const config_overrides& overrides);

} // namespace novacron
