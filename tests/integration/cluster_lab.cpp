#include "cluster_lab.hpp"

#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/cli/join_commands.hpp"
#include "runtime/demo/leftovers.hpp"
#include "runtime/node/state_lock.hpp"
#include "tests/node_file.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <pwd.h>
#include <thread>
#include <unistd.h>

namespace novacron::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

constexpr auto start_limit = 60s;
constexpr auto answer_limit = 40s;
constexpr auto end_limit = 60s;
/// Below the ports that the kernel gives to outgoing connections.
constexpr int first_port = 20'000;
constexpr int last_port = 31'000;
constexpr int ports_of_one = 20;
constexpr int gateway_offset = 3;  // nodes count from 1
constexpr int operator_offset = 6; // and pages from 10

std::string loopback(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

bool all_free(int base) {
  for (int port = base; port < base + ports_of_one; ++port)
    if (!check_free({"127.0.0.1", static_cast<uint16_t>(port)}, "port"))
      return false;
  return true;
}

int free_ports() {
  const int places = (last_port - first_port) / ports_of_one;
  for (int i = 0; i < places; ++i) {
    const int base = first_port + (static_cast<int>(::getpid()) + i) % places * ports_of_one;
    if (all_free(base))
      return base;
  }
  FAIL("no 20 free ports in a row");
  return 0;
}

/// Of the process in this folder of /proc; 0 when it is gone.
int parent_of(const fs::path& process) {
  std::ifstream in{process / "status"};
  for (std::string word; in >> word;)
    if (int parent = 0; word == "PPid:" && in >> parent)
      return parent;
  return 0;
}

/// That the cluster begins with, and what their certificates allow.
std::vector<planned_node> nodes_of(lab_plan plan) {
  using enum node_role;
  if (plan == lab_plan::apart)
    return {{"node-1", {gateway}, {}},    {"node-2", {host}, {}},
            {"node-3", {host}, {}},       {"node-4", {controller}, {}},
            {"node-5", {controller}, {}}, {"node-6", {controller}, {}}};
  auto nodes = development_nodes();
  if (plan != lab_plan::dev)
    for (auto& node : nodes)
      node.roles = {controller, gateway, host};
  return nodes;
}

fs::path make_folder() {
  auto pattern = (fs::temp_directory_path() / "novacron-cluster-XXXXXX").string();
  REQUIRE(::mkdtemp(pattern.data()) != nullptr);
  fs::permissions(pattern, fs::perms{0755}); // libvirtd runs as another user
  return pattern;
}

} // namespace

cluster_lab::cluster_lab(bool simulated, std::vector<std::string> settings, lab_plan plan)
    : folder_{make_folder()}, port_{free_ports()},
      simulated_{simulated}, settings_{std::move(settings)}, plan_{plan} {
  const auto nodes = nodes_of(plan);
  auto made = init_cluster(folder_ / "cluster", nodes);
  REQUIRE_MESSAGE(made.has_value(), (made ? std::string{} : made.error().message));
  auto token = read_small_file(folder_ / "cluster" / "admin-token", "the token");
  REQUIRE(token.has_value());
  token->resize(token->find_last_not_of('\n') + 1);
  if (has_own_files())
    for (int node = 1; node <= static_cast<int>(nodes.size()); ++node)
      write_file(node);
  const int gateways = plan == lab_plan::members ? 6 : plan == lab_plan::three_nodes ? 3 : 1;
  for (int node = 1; node <= gateways; ++node) {
    auto client = gateway_client::make(url(node), *token);
    REQUIRE(client.has_value());
    api_.emplace(node, std::move(*client));
  }
}

cluster_lab::~cluster_lab() {
  for (auto& [number, child] : processes_) {
    child.signal(SIGCONT);
    child.signal(SIGTERM);
  }
  for (auto& [number, child] : processes_)
    child.wait(10s);
  processes_.clear();
  end_leftovers(folder_, nodes_of_cluster(folder_ / "cluster"));
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string cluster_lab::url(int node) const {
  return "http://" + loopback(gateway_port(node));
}

int cluster_lab::gateway_port(int node) const {
  return port_ + (has_own_files() ? 6 : gateway_offset) + node;
}

fs::path cluster_lab::joined_folder(int node) const {
  return folder_ / ("joined-" + std::to_string(node));
}

void cluster_lab::let_join(int node, const std::string& roles, int gateway_at) const {
  auto made = insist("POST", "/api/v1/join-tokens", R"({"roles":")" + roles + R"("})", {});
  REQUIRE_MESSAGE(made.status == 201, boost::json::serialize(made.body));
  join_plan plan;
  plan.url = url(1);
  plan.token = field_text(made.body, "token");
  plan.name = "node-" + std::to_string(node);
  plan.folder = joined_folder(node);
  plan.mesh = loopback(mesh_port(node));
  plan.gateway = loopback(gateway_port(gateway_at));
  auto file = join_cluster(plan);
  REQUIRE_MESSAGE(file.has_value(), file.error().message);
  fs::copy_file(folder_ / "cluster" / "tokens", plan.folder / "cluster" / "tokens");
}

void cluster_lab::write_file(int node) const {
  const auto name = "node-" + std::to_string(node);
  // A member of the group has a certificate for more than it does.
  auto roles = plan_ == lab_plan::members && node != 1
                   ? std::vector{node_role::controller, node_role::gateway}
                   : nodes_of(plan_).at(static_cast<size_t>(node) - 1).roles;
  const int first = plan_ == lab_plan::apart ? 4 : 1; // of the controllers
  node_file file{name, std::move(roles), loopback(mesh_port(node)), {}, {}, {}, {}};
  for (int controller = first; controller < first + 3; ++controller)
    file.controllers.push_back(loopback(mesh_port(controller)));
  file.gateway = loopback(gateway_port(node));
  file.pages = loopback(page_port(node));
  file.guest = NOVACRON_GUEST_FOLDER;
  std::ofstream{folder_ / (name + ".toml")} << to_toml(file);
}

child_command cluster_lab::own_command(int node, const std::vector<std::string>& more) const {
  const auto name = "node-" + std::to_string(node);
  const auto home = plan_ == lab_plan::members && node > 3 ? joined_folder(node) : folder_;
  child_command command{program_of(node),
                        {"node", "--config", (home / (name + ".toml")).string()},
                        folder_ / (name + ".log")};
  for (const auto* settings : {&settings_, &more})
    for (const auto& setting : *settings) {
      command.arguments.emplace_back("--set");
      command.arguments.push_back(setting);
    }
  return command;
}

child_command cluster_lab::command_of(int node, std::vector<std::string> more) const {
  if (has_own_files())
    return own_command(node, more);
  const auto name = "node-" + std::to_string(node);
  const fs::path guest = NOVACRON_GUEST_FOLDER;
  auto controllers = '"' + loopback(mesh_port(1)) + '"';
  if (plan_ == lab_plan::three_nodes)
    for (int other = 2; other <= 3; ++other)
      controllers += ",\"" + loopback(mesh_port(other)) + '"';
  std::vector<std::string> all{
      "mesh.listen=" + loopback(mesh_port(node)),
      "mesh.controllers=[" + controllers + "]",
      "host.page_listen=" + loopback(page_port(node)),
      "host.hypervisor=" + std::string{simulated_ ? "simulated" : "libvirt"},
      "host.images.tick.kernel=" + (guest / "vmlinuz").string(),
      "host.images.tick.initrd=" + (guest / "initrd.gz").string(),
  };
  if (api_.contains(node)) {
    all.push_back("gateway.listen=" + loopback(gateway_port(node)));
    all.push_back("gateway.operator_listen=" + loopback(port_ + operator_offset + node));
  }
  if (const auto* self = ::geteuid() != 0 ? ::getpwuid(::geteuid()) : nullptr)
    all.push_back("host.user=" + std::string{self->pw_name});
  all.insert(all.end(), settings_.begin(), settings_.end());
  all.insert(all.end(), more.begin(), more.end());
  child_command command{
      program_of(node),
      {"node", "--config",
       (plan_ == lab_plan::dev ? "cluster-configs/dev/" : "cluster-configs/three-nodes/") + name
           + ".toml",
       "--folder", folder_.string()},
      folder_ / (name + ".log")};
  for (auto& setting : all) {
    command.arguments.emplace_back("--set");
    command.arguments.push_back(std::move(setting));
  }
  return command;
}

fs::path cluster_lab::program_of(int node) const {
  auto found = programs_.find(node);
  return found == programs_.end() ? fs::path{NOVACRON_PROGRAM} : found->second;
}

void cluster_lab::run_from(int node, fs::path program) {
  programs_.insert_or_assign(node, std::move(program));
}

void cluster_lab::start(int node, std::vector<std::string> more) {
  auto child = child_process::start(command_of(node, std::move(more)));
  REQUIRE_MESSAGE(child.has_value(), (child ? std::string{} : child.error().message));
  processes_.insert_or_assign(node, std::move(*child));
}

void cluster_lab::kill(int node) {
  process(node).signal(SIGKILL);
  REQUIRE(process(node).wait(10s));
}

void cluster_lab::start_all(size_t hosts) {
  const auto nodes = static_cast<int>(nodes_of(plan_).size());
  for (int node = 1; node <= nodes; ++node)
    start(node);
  REQUIRE_MESSAGE(await_hosts(hosts), end_of_log(1));
}

bool cluster_lab::await_hosts(size_t count) const {
  return becomes_true(start_limit, [&] {
    auto reply = ask("GET", "/api/v1/hosts");
    const auto* items = reply && reply->ok() ? field(reply->body, "items").if_array() : nullptr;
    return items && static_cast<size_t>(std::count_if(items->begin(), items->end(), [](auto& x) {
                      return field_text(x, "state") == "up" && field_text(x, "awaited") != "true";
                    })) == count;
  });
}

result<client_reply> cluster_lab::ask(const std::string& method, const std::string& path,
                                      const std::string& body, const std::string& key) const {
  return ask_at(1, method, path, body, key);
}

result<client_reply> cluster_lab::ask_at(int node, const std::string& method,
                                         const std::string& path, const std::string& body,
                                         const std::string& key) const {
  client_request call;
  call.method = method;
  call.path = path;
  call.body = body;
  call.idempotency_key = key;
  call.limit = 6s;
  return api_.at(node).ask(call);
}

client_reply cluster_lab::insist(const std::string& method, const std::string& path,
                                 const std::string& body, const std::string& key) const {
  client_reply last;
  const auto answered = becomes_true(answer_limit, [&] {
    auto reply = ask(method, path, body, key);
    if (reply)
      last = *reply;
    return reply && reply->status < 500;
  });
  return answered ? last : client_reply{};
}

std::vector<boost::json::value> cluster_lab::list(const std::string& what) const {
  std::vector<boost::json::value> all;
  std::string cursor;
  do {
    auto page = insist(
        "GET", "/api/v1/" + what + "?limit=100" + (cursor.empty() ? "" : "&cursor=" + cursor), {},
        {});
    REQUIRE(page.status == 200);
    for (const auto& item : field(page.body, "items").as_array())
      all.push_back(item);
    cursor = field_text(page.body, "next_cursor");
  } while (!cursor.empty());
  return all;
}

std::string cluster_lab::end_of(const client_reply& begun) const {
  if (begun.status != 202)
    return "refused with " + std::to_string(begun.status) + ' '
           + boost::json::serialize(begun.body);
  std::string state = "unknown";
  becomes_true(end_limit, [&] {
    auto reply = ask("GET", "/api/v1/operations/" + field_text(begun.body, "id"));
    if (reply && reply->ok())
      state = field_text(reply->body, "state");
    return state != "unknown" && state != "running";
  });
  return state;
}

int cluster_lab::leader(int asked) const {
  auto reply = ask_at(asked, "GET", "/api/v1/cluster");
  if (const auto* members = reply ? field(reply->body, "members").if_array() : nullptr)
    for (const auto& member : *members)
      if (const auto name = field_text(member, "name");
          field_text(member, "leader") == "true" && !name.empty())
        return name.back() - '0';
  return 0;
}

bool cluster_lab::await_vm(const std::string& id, const std::string& name,
                           const std::string& value) const {
  return becomes_true(end_limit, [&] {
    auto reply = ask("GET", "/api/v1/vms/" + id);
    return reply && reply->ok() && field_text(reply->body, name) == value;
  });
}

std::map<int, std::vector<std::string>> cluster_lab::fencers() const {
  std::map<int, std::vector<std::string>> found;
  std::map<int, int> parents;
  std::error_code error;
  for (fs::directory_iterator at{"/proc", error}, end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }))
      continue;
    std::ifstream in{at->path() / "cmdline", std::ios::binary};
    std::vector<std::string> words;
    for (std::string word; std::getline(in, word, '\0');)
      words.push_back(word);
    if (words.size() < 2 || words[1] != "fencer"
        || std::none_of(words.begin(), words.end(),
                        [&](const auto& x) { return x.starts_with(folder_.string() + '/'); }))
      continue;
    found.emplace(std::stoi(name), std::vector<std::string>{words.begin() + 1, words.end()});
    parents.emplace(std::stoi(name), parent_of(at->path()));
  }
  // A fencer's chores are children of it that look as it does.
  for (const auto& [pid, parent] : parents)
    if (parents.contains(parent))
      found.erase(pid);
  return found;
}

std::string cluster_lab::end_of_log(int node) const {
  constexpr size_t shown = 3'000;
  std::ifstream in{folder_ / ("node-" + std::to_string(node) + ".log"), std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  return text.substr(text.size() - std::min(text.size(), shown));
}

std::string vm_body(const std::string& name, uint64_t memory_mib, const std::string& more) {
  return "{\"name\":\"" + name + "\",\"vcpus\":1,\"memory_mib\":" + std::to_string(memory_mib)
         + ",\"image\":\"tick\"" + more + '}';
}

} // namespace novacron::test
