#include "lab.hpp"

#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/cli/render.hpp"
#include "runtime/demo/leftovers.hpp"
#include "runtime/node/state_lock.hpp"
#include "tests/node_file.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <pwd.h>
#include <stdexcept>
#include <sys/mount.h>
#include <unistd.h>

namespace novacron::chaos {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// Below the ports that the kernel gives to outgoing connections.
constexpr int first_port = 20'000;
constexpr int last_port = 31'000;
constexpr int ports_of_one = 30; // nodes count from 1
constexpr int gateway_offset = 10;
constexpr int page_offset = 20;
constexpr const char* small_disk_size = "size=256m,mode=755";

std::string loopback(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

int free_ports() {
  constexpr int places = (last_port - first_port) / ports_of_one;
  for (int i = 0; i < places; ++i) {
    const int base = first_port + (static_cast<int>(::getpid()) + i) % places * ports_of_one;
    bool free = true;
    for (int port = base; free && port < base + ports_of_one; ++port)
      free = check_free({"127.0.0.1", static_cast<uint16_t>(port)}, "port").has_value();
    if (free)
      return base;
  }
  throw std::runtime_error{"no 30 free ports in a row"};
}

template <class T>
T must(result<T> x) {
  if (!x)
    throw std::runtime_error{x.error().message};
  return std::move(*x);
}

void must(const result<void>& x) {
  if (!x)
    throw std::runtime_error{x.error().message};
}

fs::path sync_file(const fs::path& folder, int node) {
  return folder / (lab::name(node) + ".sync-ms");
}

std::vector<node_role> roles_of(int node) {
  if (lab::is_controller(node))
    return {node_role::controller, node_role::gateway};
  return {lab::is_host(node) ? node_role::host : node_role::gateway};
}

} // namespace

lab::lab(lab_options options) : options_{std::move(options)} {
  options_.folder = fs::absolute(options_.folder).lexically_normal();
  for (auto* each : {&options_.program, &options_.guest, &options_.bad_disk, &options_.link_detour})
    *each = fs::absolute(*each);
  // What a run that was killed left there.
  if (is_demo_folder(options_.folder))
    end_leftovers(options_.folder, nodes_of_cluster(options_.folder / "cluster"));
  ::umount2(state_of(small_disk_node).c_str(), MNT_DETACH);
  must(make_demo_folder(options_.folder));
  port_ = free_ports();
  std::vector<planned_node> plan;
  for (int node = 1; node <= nodes; ++node)
    plan.push_back({name(node), roles_of(node), {}});
  must(init_cluster(options_.folder / "cluster", plan));
  ids_ = nodes_of_cluster(options_.folder / "cluster");
  auto token = must(read_small_file(options_.folder / "cluster" / "admin-token", "the token"));
  token.resize(token.find_last_not_of('\n') + 1);
  const auto small = state_of(small_disk_node);
  fs::create_directories(small);
  if (::mount("novacron-chaos", small.c_str(), "tmpfs", 0, small_disk_size) != 0)
    no_small_disk_ = std::string{"a small disk can't be mounted: "} + std::strerror(errno);
  for (int node = 1; node <= nodes; ++node) {
    // Of two controllers the one that stands later in `mesh.controllers` dials.
    for (const int to : controllers)
      if (to < node)
        add_link(node, to, port_ + to);
    for (const int to : controllers) // whoever leads lends snapshots
      if (is_controller(node) && to != node)
        add_link(node, to, port_ + page_offset + to);
    for (const int to : hosts)
      if (is_host(node) && to != node) {
        add_link(node, to, port_ + to);
        add_link(node, to, port_ + page_offset + to);
      }
    if (has_gateway(node))
      api_.emplace(node, must(gateway_client::make(
                             "http://" + loopback(port_ + gateway_offset + node), token)));
    write_config(node);
    slow_down(node, 0ms);
  }
}

void lab::add_link(int from, int to, int door) {
  const auto port = static_cast<uint16_t>(door);
  links_.push_back(
      {from, to, port, std::make_unique<link_proxy>(port, options_.seed + links_.size())});
}

lab::~lab() {
  for (const auto& each : links_)
    for (const auto way : {link_proxy::there, link_proxy::back})
      each.proxy->set(way, {});
  keepers_.clear();
  end_leftovers(options_.folder, ids_);
  if (no_small_disk_.empty())
    ::umount2(state_of(small_disk_node).c_str(), MNT_DETACH);
}

void lab::start() {
  for (int node = 1; node <= nodes; ++node)
    keepers_.emplace(node, std::make_unique<node_keeper>(command_of(node)));
}

/// A real host's image has another name, so that guests of the one kind are never
/// placed on the other.
void lab::write_config(int node) const {
  node_file file{name(node), roles_of(node), loopback(port_ + node), {}, {}, {}, {}};
  for (const int each : controllers)
    file.controllers.push_back(loopback(port_ + each));
  file.gateway = loopback(port_ + gateway_offset + node);
  file.pages = loopback(port_ + page_offset + node);
  file.guest = options_.guest;
  if (is_real(node))
    file.image = "real";
  std::ofstream{options_.folder / (name(node) + ".toml")} << to_toml(file);
}

child_command lab::command_of(int node) const {
  std::vector<std::string> settings{"node.chaos=true"};
  if (is_controller(node)) { // so that each kind of actor is there
    settings.push_back("controller.backup.folder=" + (options_.folder / "backups").string());
    settings.emplace_back("controller.fence_command=[\"/bin/false\"]");
    settings.push_back("controller.snapshot_listen=" + loopback(port_ + page_offset + node));
  }
  if (has_gateway(node)) {
    settings.push_back("gateway.in_flight=" + std::to_string(requests_in_flight));
    settings.push_back(R"(gateway.scale_out_command=["/bin/sh", "-c", ': > "$0"', ")"
                       + scale_out_mark(node).string() + "\"]");
    settings.emplace_back("gateway.scale_out_pause_ms=1000");
  }
  if (is_real(node)) {
    settings.emplace_back("host.hypervisor=libvirt");
    settings.emplace_back("host.memory_mib=2048");
  }
  if (const auto* self = is_host(node) && ::geteuid() != 0 ? ::getpwuid(::geteuid()) : nullptr)
    settings.push_back("host.user=" + std::string{self->pw_name});
  std::string detours;
  for (const auto& each : links_)
    if (each.from == node)
      detours += std::to_string(each.door) + '=' + std::to_string(each.proxy->port()) + ' ';
  // env becomes the node: the pid is the node's.
  child_command command{
      "/usr/bin/env",
      {"LD_PRELOAD=" + options_.bad_disk.string() + ':' + options_.link_detour.string(),
       "NOVACRON_CHAOS_LINKS=" + detours,
       "NOVACRON_CHAOS_SYNC=" + sync_file(options_.folder, node).string(),
       options_.program.string(), "node", "--config",
       (options_.folder / (name(node) + ".toml")).string(), "--folder", options_.folder.string()},
      log_of(node)};
  for (auto& setting : settings) {
    command.arguments.emplace_back("--set");
    command.arguments.push_back(std::move(setting));
  }
  return command;
}

census_places lab::places() const {
  census_places where;
  for (const int node : hosts)
    if (!is_real(node))
      where.machines.emplace(name(node), state_of(node));
  if (options_.real)
    where.real = ids_;
  return where;
}

std::vector<fs::path> lab::consoles_of(const std::string& vm) const {
  std::vector<fs::path> logs;
  for (const int node : hosts)
    logs.push_back(state_of(node) / "console" / (vm + ".log"));
  return logs;
}

result<std::vector<boost::json::value>> lab::read_list(int node, const std::string& what) const {
  std::vector<boost::json::value> all;
  std::string cursor;
  do {
    client_request call;
    call.path = "/api/v1/" + what + "?limit=1000&consistency=linearizable"
                + (cursor.empty() ? "" : "&cursor=" + cursor);
    call.limit = 5s;
    auto page = ask(node, call);
    if (!page)
      return page.error();
    if (!page->ok() || !field(page->body, "items").is_array())
      return failure{{},
                     name(node) + " answered " + what + " with " + std::to_string(page->status)
                         + ' ' + field_text(page->body, "detail")};
    for (const auto& item : field(page->body, "items").as_array())
      all.push_back(item);
    cursor = field_text(page->body, "next_cursor");
  } while (!cursor.empty());
  return all;
}

result<shown_state> lab::read_all(int node) const {
  auto vms = read_list(node, "vms");
  if (!vms)
    return vms.error();
  auto operations = read_list(node, "operations");
  if (!operations)
    return operations.error();
  return shown_state{std::move(*vms), std::move(*operations)};
}

void lab::set_links(const std::vector<int>& of, fault_way way, const link_condition& condition) {
  auto leaves = [&](int from, int to) { // what goes there
    const auto is = [&](int node) { return std::ranges::find(of, node) != of.end(); };
    return (is(from) && way != fault_way::in) || (is(to) && way != fault_way::out);
  };
  for (const auto& each : links_) {
    if (leaves(each.from, each.to))
      each.proxy->set(link_proxy::there, condition);
    if (leaves(each.to, each.from))
      each.proxy->set(link_proxy::back, condition);
  }
}

void lab::slow_down(int node, std::chrono::milliseconds sync) {
  const auto file = sync_file(options_.folder, node);
  const auto next = fs::path{file}.concat(".next");
  std::ofstream{next} << sync.count() << '\n';
  fs::rename(next, file);
}

void lab::fill_small_disk(bool full) {
  const auto ballast = state_of(small_disk_node) / "ballast";
  if (!full) {
    fs::remove(ballast);
    return;
  }
  std::ofstream out{ballast, std::ios::binary};
  const std::string block(1U << 16U, 'x');
  while (out.write(block.data(), static_cast<std::streamsize>(block.size())))
    ;
  out.clear();
  while (out.write(block.data(), 512))
    ;
}

} // namespace novacron::chaos
