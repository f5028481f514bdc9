#include "runtime/config/node_config.hpp"

#include "messages/names.hpp"
#include "runtime/config/host_tables.hpp"
#include "runtime/config/nearest_name.hpp"
#include "runtime/config/overrides.hpp"
#include "runtime/config/table_reader.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace novacron {

namespace {

constexpr uintmax_t max_file_bytes = 1u << 20;

void read_node(config_reading& reading, const toml::table* table, node_config& config) {
  table_reader node{reading, table, "node"};
  node.read("name", config.name, needed("\"node-1\""));
  std::string id;
  node.read("uuid", id, optional_key("\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\""));
  if (const auto value = parse_uuid(id); value && !value->nil())
    config.id.value = *value;
  else if (!id.empty())
    node.complain("uuid", "is no uuid; leave it out to take the certificate's");
  node.read("chaos", config.chaos, optional_key("false"));
  std::vector<std::string> roles;
  node.read("roles", roles, needed(R"(["controller", "gateway", "host"])"));
  for (const auto& name : roles) {
    const auto role = parse<node_role>(name);
    if (!role)
      node.complain("roles",
                    "holds \"" + name + "\"; " + hint_for(name, {"controller", "gateway", "host"}));
    else if (!config.has(*role))
      config.roles.push_back(*role);
  }
  std::sort(config.roles.begin(), config.roles.end());
  node.read("state", config.state, needed("\"node-1\""));
  node.read("cluster", config.cluster_file, needed("\"cluster/cluster-id\""));
  node.finish();
}

/// An address where we listen, and that others are told to come to.
void refuse_wildcard(table_reader& table, std::string_view key, const address& place) {
  if (is_wildcard(place))
    table.complain(key, "is every address of this machine, but other nodes are told to come there; "
                        "write the one at which they reach it");
}

void read_own_place(table_reader& table, std::string_view key, address& out,
                    std::string_view example) {
  table.read(key, out, needed(example));
  refuse_wildcard(table, key, out);
}

void read_mesh(config_reading& reading, const toml::table* table, node_config& config) {
  table_reader mesh{reading, table, "mesh"};
  read_own_place(mesh, "listen", config.mesh.listen, "\"127.0.0.1:7101\"");
  mesh.read("controllers", config.mesh.controllers, needed(R"(["127.0.0.1:7101"])"));
  mesh.finish();
}

std::optional<backup_section> read_backup(config_reading& reading, const toml::table* table) {
  if (!table)
    return {};
  backup_section section;
  table_reader backup{reading, table, "controller.backup"};
  backup.read("folder", section.folder, needed("\"/var/backups/novacron\""));
  auto minutes = static_cast<uint32_t>(section.every.count());
  backup.read_number("every_minutes", minutes, optional_key("60"), 7 * 24 * 60);
  section.every = std::chrono::minutes{minutes};
  backup.read_number("keep", section.keep, optional_key("48"), 10'000);
  backup.finish();
  return section;
}

/// A command of the operator's, and the times that say how it is run.
class command_reader {
public:
  command_reader(table_reader& table, std::string key, std::vector<std::string>& command,
                 std::string_view example)
      : table_{table}, key_{std::move(key)}, command_{command} {
    table_.read(key_, command_, optional_key(example));
    if (!command_.empty() && !command_.front().starts_with('/'))
      table_.complain(key_, "begins with no absolute path; write the program's whole path first, "
                            "then its arguments");
  }

  void read_time(std::string_view key, std::chrono::milliseconds& out, std::string_view example) {
    const auto before = out;
    table_.read(key, out, optional_key(example));
    if (out != before && command_.empty())
      table_.complain(key, "says how " + key_ + " is run; add that key, or drop this one");
  }

private:
  table_reader& table_;
  std::string key_;
  std::vector<std::string>& command_;
};

std::optional<fence_section> read_fence(table_reader& controller) {
  fence_section section;
  command_reader reader{controller, "fence_command", section.command,
                        R"(["/usr/local/sbin/fence", "--off"])"};
  reader.read_time("fence_timeout_ms", section.timeout, "60000");
  reader.read_time("fence_after_ms", section.after, "30000");
  return section.command.empty() ? std::nullopt : std::optional{section};
}

std::optional<scale_out_section> read_scale_out(table_reader& gateway) {
  scale_out_section section;
  command_reader reader{gateway, "scale_out_command", section.command,
                        R"(["/usr/bin/systemctl", "start", "novacron@gateway-2"])"};
  reader.read_time("scale_out_after_ms", section.after, "2000");
  reader.read_time("scale_out_pause_ms", section.pause, "60000");
  return section.command.empty() ? std::nullopt : std::optional{section};
}

/// Nodes that found a group must agree on who else does, and on who dials whom.
void read_controller(config_reading& reading, table_reader& file, node_config& config) {
  const auto* table = file.table("controller");
  const bool wanted = config.has(node_role::controller);
  if (table && !wanted)
    reading.complain(table, "there is a section [controller], but node.roles doesn't hold "
                            "\"controller\"; drop the section or add the role");
  table_reader controller{reading, table, "controller"};
  controller.read("founders", config.controller.founders, optional_key("\"cluster/founders\""));
  controller.read("joined", config.controller.joined, optional_key("true"));
  controller.read("election_ms", config.controller.election, optional_key("500"));
  address snapshots;
  controller.read("snapshot_listen", snapshots, optional_key("\"127.0.0.1:7121\""));
  refuse_wildcard(controller, "snapshot_listen", snapshots);
  if (!snapshots.host.empty())
    config.controller.snapshot_listen = snapshots;
  config.controller.fence = read_fence(controller);
  config.controller.backup = read_backup(reading, controller.table("backup"));
  const auto& all = config.mesh.controllers;
  const bool listed = std::find(all.begin(), all.end(), config.mesh.listen) != all.end();
  if (config.controller.joined && !config.controller.founders.empty())
    controller.complain("joined", "and controller.founders exclude each other: who joins founds "
                                  "nothing; drop one of them");
  if (config.controller.joined && listed)
    controller.complain("joined", "and yet mesh.controllers holds this node's mesh.listen: list "
                                  "those that founded the cluster only");
  controller.finish();
  table_reader mesh{reading, file.table("mesh"), "mesh"};
  if (!wanted && listed)
    mesh.complain("controllers", "holds this node's mesh.listen, but node.roles doesn't hold "
                                 "\"controller\": it would look for the log at itself; leave it "
                                 "out, or add the role");
  if (!wanted || config.controller.joined || all.size() < 2)
    return;
  if (!listed)
    mesh.complain("controllers", "doesn't hold mesh.listen, " + to_string(config.mesh.listen)
                                     + "; list all controllers, in the same order on each node");
  if (config.controller.founders.empty())
    mesh.complain("controllers", "names several, so controller.founders is needed: the file "
                                 "`founders` of `novacron cluster init`");
}

void read_tls(config_reading& reading, const toml::table* table, node_config& config) {
  table_reader tls{reading, table, "tls"};
  tls.read("certificate", config.tls.certificate, needed("\"cluster/node-1.pem\""));
  tls.read("key", config.tls.key, needed("\"cluster/node-1.key\""));
  tls.read("authority", config.tls.authority, needed("\"cluster/ca.pem\""));
  tls.finish();
}

gateway_section read_gateway(config_reading& reading, const toml::table* table) {
  gateway_section section;
  table_reader gateway{reading, table, "gateway"};
  gateway.read("listen", section.listen, needed("\"127.0.0.1:7180\""));
  address operators;
  gateway.read("operator_listen", operators, optional_key("\"127.0.0.1:7190\""));
  if (operators.port != 0)
    section.operator_listen = operators;
  gateway.read("tokens", section.tokens, needed("\"cluster/tokens\""));
  gateway.read("authority_key", section.authority_key, optional_key("\"cluster/ca.key\""));
  gateway.read_number("io_threads", section.io_threads, optional_key("1"), 64);
  gateway.read("share_port", section.share_port, optional_key("true"));
  gateway.read_number("connections", section.connections, optional_key("10000"), 1'000'000);
  gateway.read_number("in_flight", section.in_flight, optional_key("4096"), 1'000'000);
  gateway.read_number("bodies_mib", section.bodies_mib, optional_key("64"), 1'000'000);
  gateway.read_number("answers_mib", section.answers_mib, optional_key("128"), 1'000'000);
  section.scale_out = read_scale_out(gateway);
  gateway.finish();
  return section;
}

host_section read_host(config_reading& reading, const toml::table* table) {
  host_section section;
  table_reader host{reading, table, "host"};
  std::string driver = "libvirt";
  host.read("hypervisor", driver, optional_key("\"libvirt\""));
  if (driver == "simulated")
    section.hypervisor = host_driver::simulated;
  else if (driver != "libvirt")
    host.complain("hypervisor", "is unknown; " + hint_for(driver, {"libvirt", "simulated"}));
  std::string mode = "session";
  host.read("mode", mode, optional_key("\"session\""));
  if (mode == "system")
    section.mode = libvirt_mode::system;
  else if (mode != "session")
    host.complain("mode", "is unknown; " + hint_for(mode, {"session", "system"}));
  host.read("user", section.user, optional_key("\"novacron\""));
  read_own_place(host, "page_listen", section.page_listen, "\"127.0.0.1:7111\"");
  uint32_t vcpus = 0;
  uint64_t memory = 0;
  host.read_number("vcpus", vcpus, optional_key("4"), 4'096);
  host.read_number("memory_mib", memory, optional_key("4096"), uint64_t{1} << 32);
  if (vcpus != 0)
    section.vcpus = vcpus;
  if (memory != 0)
    section.memory_mib = memory;
  host.read_number("memory_overcommit_percent", section.memory_overcommit_percent,
                   optional_key("100"), 1'000);
  host.read_number("vcpu_overcommit_percent", section.vcpu_overcommit_percent, optional_key("800"),
                   10'000);
  host.read_number("migrations_at_once", section.migrations_at_once, optional_key("4"), 64);
  host.read_number("migrations_between_sites", section.migrations_between_sites, optional_key("2"),
                   64);
  host.read_number("migration_mbit", section.migration_mbit, optional_key("1000"), 1'000'000);
  host.read_number("kept_memory_mib", section.kept_memory_mib, optional_key("8192"),
                   uint64_t{1} << 32);
  read_labels(reading, host.table("labels"), section);
  host.read("fencer", section.fencer, optional_key("true"));
  host.read("watchdog", section.watchdog, optional_key("\"/dev/watchdog\""));
  if (!section.watchdog.empty() && (section.hypervisor != host_driver::libvirt || !section.fencer))
    host.complain("watchdog", "is petted by the fencer of a host with libvirt; drop it, or set "
                              "host.hypervisor = \"libvirt\" and host.fencer = true");
  read_images(reading, host.table("images"), section);
  read_networks(reading, host.table("networks"), section);
  host.finish();
  return section;
}

/// To replace a lost leader may take twice the time and two round trips; hosts should
/// keep their leases meanwhile. Nothing unsafe would happen else (docs/fencing.md).
void check_election(config_reading& reading, table_reader& file, const node_config& config) {
  using std::chrono::milliseconds;
  const auto least = milliseconds{200};
  const auto most = config.lease.term / 4;
  if (config.controller.election >= least && config.controller.election <= most)
    return;
  table_reader controller{reading, file.table("controller"), "controller"};
  controller.complain("election_ms", "is out of range; expected " + std::to_string(least.count())
                                         + " to " + std::to_string(most.count())
                                         + ", a quarter of lease.term_ms, so that a lost leader "
                                           "costs no host its lease");
}

void read_rest(config_reading& reading, table_reader& file, node_config& config) {
  table_reader lease{reading, file.table("lease"), "lease"};
  lease.read("term_ms", config.lease.term, optional_key("10000"));
  lease.read("renew_ms", config.lease.renew, optional_key("2000"));
  lease.finish();
  if (config.lease.renew * 3 > config.lease.term)
    lease.complain("renew_ms", "is too long for a term of "
                                   + std::to_string(config.lease.term.count())
                                   + " ms; a third of it at most, so that two losses are borne");
  check_election(reading, file, config);
  table_reader timing{reading, file.table("timing"), "timing"};
  timing.read("heartbeat_ms", config.timing.heartbeat, optional_key("1000"));
  timing.read("silence_ms", config.timing.silence, optional_key("5000"));
  timing.read("stop_ms", config.timing.stop, optional_key("10000"));
  timing.finish();
  if (config.timing.heartbeat * 2 > config.timing.silence)
    timing.complain("silence_ms", "is less than two heartbeats; raise it or lower heartbeat_ms");
  table_reader log{reading, file.table("log"), "log"};
  log.read("level", config.log.level, optional_key("\"info\""));
  const std::vector<std::string> levels{"debug", "info", "warning", "error"};
  if (std::find(levels.begin(), levels.end(), config.log.level) == levels.end())
    log.complain("level", "is unknown; " + hint_for(config.log.level, levels));
  log.read("file", config.log.file, optional_key("\"node-1/node.log\""));
  log.finish();
}

/// The table of a section that goes with a role: there iff the role is.
const toml::table* role_table(config_reading& reading, table_reader& file,
                              const node_config& config, node_role role) {
  const auto name = to_string(role);
  const bool wanted = config.has(role);
  const auto* table
      = file.table(name, wanted, ", but node.roles holds \"" + name + "\"; add one of them");
  if (table && !wanted)
    reading.complain(table, "there is a section [" + name + "], but node.roles doesn't hold \""
                                + name + "\"; drop the section or add the role");
  return table;
}

} // namespace

bool is_wildcard(const address& x) {
  return !x.host.empty() && x.host.find_first_not_of("0.:") == std::string::npos;
}

std::string to_string(host_driver x) {
  return x == host_driver::libvirt ? "libvirt" : "simulated";
}

bool node_config::has(node_role role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

result<node_config> parse_config(std::string_view text, const std::string& source,
                                 const config_overrides& overrides) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return make_failure(runtime_errc::configuration, source + ':'
                                                         + std::to_string(error.source().begin.line)
                                                         + ": " + std::string{error.description()});
  }
  for (const auto& setting : overrides.settings)
    if (auto set = apply_setting(root, setting); !set)
      return set.error();
  config_reading reading{source, std::filesystem::absolute(overrides.folder), {}};
  node_config config;
  table_reader file{reading, &root, ""};
  read_node(reading, file.table("node", true), config);
  read_mesh(reading, file.table("mesh", true), config);
  read_controller(reading, file, config);
  read_tls(reading, file.table("tls", true), config);
  if (const auto* table = role_table(reading, file, config, node_role::gateway))
    config.gateway = read_gateway(reading, table);
  if (const auto* table = role_table(reading, file, config, node_role::host))
    config.host = read_host(reading, table);
  read_rest(reading, file, config);
  file.finish();
  if (reading.wrong)
    return *reading.wrong;
  return config;
}

result<node_config> load_config(const std::filesystem::path& file,
                                const config_overrides& overrides) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  std::ifstream in{file, std::ios::binary};
  if (error || !in)
    return make_failure(runtime_errc::configuration,
                        "cannot read " + file.string() + ": "
                            + (error ? error.message() : std::strerror(errno))
                            + "; name the node's file with --config");
  if (size > max_file_bytes)
    return make_failure(runtime_errc::configuration,
                        file.string() + ": larger than 1 MiB; that is no node's file");
  std::ostringstream text;
  text << in.rdbuf();
  auto resolved = overrides;
  if (resolved.folder.empty())
    resolved.folder = std::filesystem::absolute(file).parent_path();
  return parse_config(text.str(), file.string(), resolved);
}

} // namespace novacron
