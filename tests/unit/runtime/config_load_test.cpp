#include "runtime/config/node_config.hpp"

#include <doctest/doctest.h>
#include <fstream>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

// Lines are counted in what follows: [node] is line 1.
const std::string whole = R"([node]
name = "node-1"
roles = ["host", "gateway", "controller"]
state = "node-1"
cluster = "cluster/cluster-id"
[mesh]
listen = "127.0.0.1:7101"
controllers = ["127.0.0.1:7101"]
[tls]
certificate = "cluster/node-1.pem"
key = "/keys/node-1.key"
authority = "cluster/ca.pem"
[gateway]
listen = "127.0.0.1:7180"
tokens = "cluster/tokens"
[host]
page_listen = "127.0.0.1:7111"
memory_mib = 4096
[host.images.tick]
kernel = "guest/vmlinuz"
initrd = "guest/initrd.gz"
)";

std::string with(const std::string& from, const std::string& to) {
  auto text = whole;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string complaint(const std::string& text, std::vector<std::string> settings = {}) {
  auto config = parse_config(text, "n.toml", {"/srv", std::move(settings)});
  REQUIRE(!config);
  CHECK(config.error().message.find('\n') == std::string::npos);
  return config.error().message;
}

bool holds(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found)
    MESSAGE(text);
  return found;
}

} // namespace

TEST_CASE("a whole file becomes a configuration, with paths below the folder") {
  auto config = parse_config(whole, "n.toml", {"/srv", {}});
  REQUIRE(config.has_value());
  CHECK(config->name == "node-1");
  CHECK(config->roles == std::vector{node_role::controller, node_role::gateway, node_role::host});
  CHECK(config->state == "/srv/node-1");
  CHECK(config->tls.key == "/keys/node-1.key");
  CHECK(config->mesh.listen == address{"127.0.0.1", 7101});
  CHECK(config->gateway->listen.port == 7180);
  CHECK(config->gateway->in_flight == 4'096U);
  CHECK(config->gateway->connections == 10'000U);
  CHECK(config->gateway->bodies_mib == 64U);
  CHECK(config->gateway->answers_mib == 128U);
  CHECK(!config->gateway->share_port);
  CHECK(!config->chaos);
  CHECK(config->host->memory_mib == 4096);
  CHECK(!config->host->vcpus);
  CHECK(config->host->images.at("tick").kernel == "/srv/guest/vmlinuz");
  CHECK(config->lease.term == 10s);
}

TEST_CASE("a controller's door for snapshots is where its section says, at one address") {
  CHECK(!parse_config(whole, "n.toml", {"/srv", {}})->controller.snapshot_listen);
  auto config = parse_config(whole + "[controller]\nsnapshot_listen = \"10.0.0.1:7121\"\n",
                             "n.toml", {"/srv", {}});
  REQUIRE(config.has_value());
  CHECK(config->controller.snapshot_listen == address{"10.0.0.1", 7121});
  CHECK(holds(complaint(whole + "[controller]\nsnapshot_listen = \"0.0.0.0:7121\"\n"),
              "is every address of this machine"));
}

TEST_CASE("a host's networks are bridges of its machine") {
  CHECK(parse_config(whole, "n.toml", {"/srv", {}})->host->networks.empty());
  auto config
      = parse_config(whole + "[host.networks.lan]\nbridge = \"br0\"\n", "n.toml", {"/srv", {}});
  REQUIRE(config.has_value());
  CHECK(config->host->networks.at("lan").bridge == "br0");
  CHECK(holds(complaint(whole + "[host.networks.lan]\n"), "bridge is missing"));
  CHECK(holds(complaint(whole + "[host.networks.lan]\nbridge = \"../br0\"\n"),
              "is no interface's name"));
  CHECK(holds(complaint(whole + "[host.networks.lan]\nbridge = \"a-name-of-16-ch.\"\n"),
              "is no interface's name"));
  CHECK(
      holds(complaint(whole + "[host.networks.\"\"]\nbridge = \"br0\"\n"), "is no network's name"));
}

TEST_CASE("actors may be killed on purpose only where the node's own section says so") {
  auto allowed = parse_config(with("name = \"node-1\"", "name = \"node-1\"\nchaos = true"),
                              "n.toml", {"/srv", {}});
  REQUIRE(allowed.has_value());
  CHECK(allowed->chaos);
}

TEST_CASE("backups are made where a controller's section says so") {
  CHECK(!parse_config(whole, "n.toml", {"/srv", {}})->controller.backup);
  auto config = parse_config(whole + "[controller.backup]\nfolder = \"b\"\nkeep = 3\n", "n.toml",
                             {"/srv", {}});
  REQUIRE(config.has_value());
  REQUIRE(config->controller.backup.has_value());
  CHECK(config->controller.backup->folder == "/srv/b");
  CHECK(config->controller.backup->keep == 3);
  CHECK(config->controller.backup->every == 60min);
  CHECK(holds(complaint(whole + "[controller.backup]\nkeep = 3\n"), "folder is missing"));
  CHECK(holds(complaint(whole + "[controller.backup]\nfolder = \"b\"\nhourly = true\n"),
              "[controller.backup] has no key \"hourly\""));
}

TEST_CASE("lost hosts are fenced by a command where a controller's section says so") {
  auto with_keys = [](const std::string& keys) { return whole + "[controller]\n" + keys + "\n"; };
  CHECK(!parse_config(whole, "n.toml", {"/srv", {}})->controller.fence);
  auto config = parse_config(
      with_keys("fence_command = [\"/sbin/fence\", \"--off\"]\nfence_timeout_ms = 5000"), "n.toml",
      {"/srv", {}});
  REQUIRE(config.has_value());
  REQUIRE(config->controller.fence.has_value());
  CHECK(config->controller.fence->command == std::vector<std::string>{"/sbin/fence", "--off"});
  CHECK(config->controller.fence->timeout == 5s);
  CHECK(config->controller.fence->after == 30s);
  CHECK(holds(complaint(with_keys("fence_command = [\"fence\"]")), "no absolute path"));
  CHECK(holds(complaint(with_keys("fence_after_ms = 5")), "says how fence_command"));
}

TEST_CASE("a full gateway has one more started by a command where its section says so") {
  auto with_keys = [](const std::string& keys) {
    return with("listen = \"127.0.0.1:7180\"", "listen = \"127.0.0.1:7180\"\n" + keys);
  };
  CHECK(!parse_config(whole, "n.toml", {"/srv", {}})->gateway->scale_out);
  auto config = parse_config(
      with_keys("scale_out_command = [\"/sbin/more\", \"gateway-2\"]\nscale_out_after_ms = 1000"),
      "n.toml", {"/srv", {}});
  REQUIRE(config.has_value());
  REQUIRE(config->gateway->scale_out.has_value());
  CHECK(config->gateway->scale_out->command == std::vector<std::string>{"/sbin/more", "gateway-2"});
  CHECK(config->gateway->scale_out->after == 1s);
  CHECK(config->gateway->scale_out->pause == 60s);
  CHECK(holds(complaint(with_keys("scale_out_command = [\"more\"]")), "no absolute path"));
  CHECK(holds(complaint(with_keys("scale_out_pause_ms = 5")), "says how scale_out_command"));
}

TEST_CASE("an unknown key is refused with its line and the nearest known one") {
  const auto text = complaint(with("listen = \"127.0.0.1:7180\"",
                                   "listne = \"127.0.0.1:7180\"\nlisten = \"127.0.0.1:7180\""));
  CHECK(holds(text, "n.toml:14: [gateway] has no key \"listne\"; did you mean \"listen\"?"));
}

TEST_CASE("an unknown section is refused with what is known") {
  CHECK(holds(complaint(whole + "[zzzzzz]\n"),
              "n.toml:22: unknown section [zzzzzz]; known here: node, mesh"));
  CHECK(holds(complaint(whole + "[leese]\n"), "did you mean \"lease\"?"));
}

TEST_CASE("a wrong type names the key, the value and what is expected") {
  const auto text = complaint(with("listen = \"127.0.0.1:7101\"", "listen = 7101"));
  CHECK(holds(text, "n.toml:7: [mesh] listen = 7101 is a whole number; expected an address and a "
                    "port, for example \"127.0.0.1:7101\""));
  CHECK(holds(complaint(with("7111\"", "99999\"")), "n.toml:17: [host] page_listen = "));
  CHECK(holds(complaint(with("4096", "\"4G\"")), "is text; expected a whole number"));
  CHECK(holds(complaint(with("4096", "0")), "out of range; expected 1 to "));
}

TEST_CASE("a missing key is named with an example") {
  CHECK(holds(complaint(with("key = \"/keys/node-1.key\"\n", "")),
              "n.toml:9: [tls] key is missing; write for example key = \"cluster/node-1.key\""));
}

TEST_CASE("a watchdog is named where there is a fencer to pet it") {
  const auto with_host
      = [](const std::string& keys) { return with("[host]\n", "[host]\n" + keys + "\n"); };
  CHECK(parse_config(whole, "n.toml", {"/srv", {}})->host->watchdog.empty());
  auto config = parse_config(with_host("watchdog = \"/dev/watchdog1\""), "n.toml", {"/srv", {}});
  REQUIRE(config.has_value());
  CHECK(config->host->watchdog == "/dev/watchdog1");
  for (const std::string other : {"hypervisor = \"simulated\"", "fencer = false"})
    CHECK(holds(complaint(with_host(other + "\nwatchdog = \"/dev/watchdog\"")),
                " is petted by the fencer of a host with libvirt"));
}

TEST_CASE("a role's section is there if and only if the role is") {
  CHECK(holds(complaint(with("\"gateway\", ", "")),
              "there is a section [gateway], but node.roles doesn't hold \"gateway\""));
  CHECK(holds(
      complaint(with("[gateway]\nlisten = \"127.0.0.1:7180\"\ntokens = \"cluster/tokens\"\n", "")),
      "the section [gateway] is missing"));
  CHECK(holds(complaint(with("\"host\"", "\"hots\"")), "did you mean \"host\"?"));
}

TEST_CASE("a lease that bears no lost renewal is refused") {
  CHECK(holds(complaint(whole + "[lease]\nterm_ms = 5000\nrenew_ms = 2000\n"),
              "[lease] renew_ms = 2000 is too long"));
}

TEST_CASE("an election that would cost hosts their leases, or end at each hiccup, is refused") {
  auto with_election
      = [](const std::string& ms) { return whole + "[controller]\nelection_ms = " + ms + "\n"; };
  CHECK(holds(complaint(with_election("2501")),
              "[controller] election_ms = 2501 is out of range; expected 200 to 2500"));
  CHECK(holds(complaint(with_election("199")), "expected 200 to 2500"));
  CHECK(holds(complaint(with_election("1001") + "[lease]\nterm_ms = 4000\nrenew_ms = 500\n"),
              "expected 200 to 1000"));
  auto config = parse_config(with_election("2500"), "n.toml", {"/srv", {}});
  REQUIRE(config.has_value());
  CHECK(config->controller.election == 2'500ms);
}

TEST_CASE("what isn't TOML is refused with its line") {
  CHECK(holds(complaint("[node]\nname = \n"), "n.toml:2: "));
}

TEST_CASE("settings overrule the file, with or without quotes") {
  auto config
      = parse_config(whole, "n.toml",
                     {"/srv",
                      {"mesh.listen=127.0.0.1:7201", R"(mesh.controllers=["127.0.0.1:7201"])",
                       "host.hypervisor=simulated", "lease.term_ms=6000"}});
  REQUIRE(config.has_value());
  CHECK(config->mesh.listen.port == 7201);
  CHECK(config->mesh.controllers == std::vector{address{"127.0.0.1", 7201}});
  CHECK(config->host->hypervisor == host_driver::simulated);
  CHECK(config->lease.term == 6s);
}

TEST_CASE("a setting that makes no sense is refused") {
  CHECK(holds(complaint(whole, {"mesh"}), "--set mesh: that is no key=value"));
  CHECK(holds(complaint(whole, {"mesh.listen.x=1"}), "\"listen\" is not a section"));
  CHECK(holds(complaint(whole, {"mesh.lisden=1"}),
              "--set mesh.lisden=1: [mesh] has no key \"lisden\"; did you mean \"listen\"?"));
}

TEST_CASE("a file that isn't there is one clear line") {
  auto config = load_config("/nowhere/node.toml");
  REQUIRE(!config);
  CHECK(holds(config.error().message, "cannot read /nowhere/node.toml: No such file"));
}

TEST_CASE("the development cluster's files are good, and each has its own ports") {
  for (std::string n : {"1", "2", "3"}) {
    auto config = load_config("cluster-configs/dev/node-" + n + ".toml", {"/srv", {}});
    if (!config)
      MESSAGE(config.error().message);
    REQUIRE(config.has_value());
    CHECK(config->name == "node-" + n);
    CHECK(config->mesh.listen.port == 7100 + std::stoi(n));
    CHECK(config->host->page_listen.port == 7110 + std::stoi(n));
    CHECK(config->has(node_role::controller) == (n == "1"));
  }
}

TEST_CASE("the files of more gateways share the API's port, and nothing else") {
  for (std::string n : {"1", "2"}) {
    auto config = load_config("cluster-configs/more-gateways/gateway-" + n + ".toml", {"/srv", {}});
    if (!config)
      MESSAGE(config.error().message);
    REQUIRE(config.has_value());
    CHECK(config->roles == std::vector{node_role::gateway});
    CHECK(config->gateway->share_port);
    CHECK(config->gateway->listen.port == 7280);
    CHECK(config->mesh.listen.port == 7203 + std::stoi(n));
    CHECK(config->gateway->operator_listen->port == 7293 + std::stoi(n));
    CHECK(config->state == "/srv/gateway-" + n);
    CHECK(config->tls.key == "/srv/cluster/gateway-" + n + ".key");
  }
}

TEST_CASE("controllers of a group list all of them, themselves too, and name the founders") {
  const std::string two = R"(controllers = ["127.0.0.1:7101", "127.0.0.1:7102"])";
  const std::string one = R"(controllers = ["127.0.0.1:7101"])";
  CHECK(holds(complaint(with(one, two)), "controller.founders is needed"));
  auto config = parse_config(with(one, two), "n.toml", {"/srv", {"controller.founders=cluster/f"}});
  REQUIRE(config.has_value());
  CHECK(config->controller.founders == "/srv/cluster/f");
  CHECK(holds(complaint(with(one, R"(controllers = ["127.0.0.1:7102", "127.0.0.1:7103"])"),
                        {"controller.founders=cluster/f"}),
              "doesn't hold mesh.listen"));
  const std::string others = R"(controllers = ["127.0.0.1:7102", "127.0.0.1:7103"])";
  auto joined = parse_config(with(one, others), "n.toml", {"/srv", {"controller.joined=true"}});
  REQUIRE(joined.has_value());
  CHECK(joined->controller.joined);
  CHECK(holds(
      complaint(with(one, others), {"controller.joined=true", "controller.founders=cluster/f"}),
      "exclude each other"));
  CHECK(holds(complaint(with(one, two), {"controller.joined=true"}), "and yet mesh.controllers"));
  CHECK(holds(complaint(with(R"(roles = ["host", "gateway", "controller"])",
                             R"(roles = ["host", "gateway"])"),
                        {"controller.founders=cluster/f"}),
              "section [controller]"));
}

TEST_CASE("a node that is no controller doesn't look for the log at itself") {
  auto text
      = with(R"(roles = ["host", "gateway", "controller"])", R"(roles = ["host", "gateway"])");
  CHECK(holds(complaint(text), "n.toml:8: [mesh] controllers = "));
  CHECK(holds(complaint(text, {R"(mesh.controllers=["127.0.0.1:7109", "127.0.0.1:7101"])"}),
              "holds this node's mesh.listen"));
  CHECK(parse_config(text, "n.toml", {"/srv", {"mesh.controllers=[\"127.0.0.1:7109\"]"}})
            .has_value());
}

TEST_CASE("where others are told to come is one address, not all of the machine's") {
  for (std::string all : {"0.0.0.0:7101", "[::]:7101"}) {
    CHECK(holds(complaint(whole, {"mesh.listen=" + all}), "[mesh] listen = "));
    CHECK(holds(complaint(whole, {"host.page_listen=" + all}), "at which they reach it"));
  }
  for (std::string one : {"10.0.0.10:7101", "[::1]:7101", "node-1:7101"})
    CHECK(!is_wildcard(*parse_address(one)));
  CHECK(parse_config(whole, "n.toml", {"/srv", {"gateway.listen=0.0.0.0:7180"}}).has_value());
}

TEST_CASE("a host says how many migrations it takes at a time") {
  auto config = parse_config(
      whole, "n.toml", {"/srv", {"host.migrations_at_once=1", "host.migrations_between_sites=9"}});
  REQUIRE(config.has_value());
  CHECK(config->host->migrations_at_once == 1);
  CHECK(config->host->migrations_between_sites == 9);
  CHECK(parse_config(whole, "n.toml", {"/srv", {}})->host->migrations_at_once == 4);
  for (const std::string value : {"0", "65"})
    CHECK(holds(complaint(whole, {"host.migrations_at_once=" + value}), "migrations_at_once"));
}

TEST_CASE("a host keeps guests' memory only where its file says how much") {
  CHECK(parse_config(whole, "n.toml", {"/srv", {}})->host->kept_memory_mib == 0);
  const auto config = parse_config(whole, "n.toml", {"/srv", {"host.kept_memory_mib=8192"}});
  REQUIRE(config.has_value());
  CHECK(config->host->kept_memory_mib == 8192);
  CHECK(holds(complaint(whole, {"host.kept_memory_mib=0"}), "kept_memory_mib"));
}

TEST_CASE("a host says its labels, and how much more than it has it may promise") {
  auto config = parse_config(whole + "[host.labels]\ndisk = \"ssd\"\nzone = \"a\"\n", "n.toml",
                             {"/srv", {"host.memory_overcommit_percent=150"}});
  REQUIRE(config.has_value());
  CHECK(config->host->labels == std::map<std::string, std::string>{{"disk", "ssd"}, {"zone", "a"}});
  CHECK(config->host->memory_overcommit_percent == 150);
  CHECK(config->host->vcpu_overcommit_percent == 800);
  CHECK(holds(complaint(whole, {"host.labels.disk=7"}), "[host.labels] disk = "));
  CHECK(holds(complaint(whole, {"host.labels.disk=" + std::string(300, 'x')}), "is too long"));
  CHECK(holds(complaint(whole, {"host.memory_overcommit_percent=0"}), "memory_overcommit_percent"));
  CHECK(holds(complaint(whole, {"host.memory_overcomit_percent=100"}),
              "did you mean \"memory_overcommit_percent\"?"));
}
