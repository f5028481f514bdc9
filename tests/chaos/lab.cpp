#include "lab.hpp"

#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/cli/render.hpp"
#include "runtime/demo/leftovers.hpp"
#include "runtime/node/state_lock.hpp"

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
constexpr int ports_of_one = 20; // nodes count from 1, pages from 10
constexpr int gateway_offset = 3;
constexpr int operator_offset = 6;
constexpr int page_offset = 10;
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
  throw std::runtime_error{"no 20 free ports in a row"};
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

} // namespace

lab::lab(lab_options options) : options_{std::move(options)} {
  options_.folder = fs::absolute(options_.folder).lexically_normal();
  for (auto* each : {&options_.program, &options_.guest, &options_.configs, &options_.bad_disk})
    *each = fs::absolute(*each);
  // What a run that was killed left there.
  if (is_demo_folder(options_.folder))
    end_leftovers(options_.folder, nodes_of_cluster(options_.folder / "cluster"));
  ::umount2(state_of(small_disk_node).c_str(), MNT_DETACH);
  must(make_demo_folder(options_.folder));
  port_ = free_ports();
  auto plan = development_nodes();
  for (auto& each : plan)
    each.roles = {node_role::controller, node_role::gateway, node_role::host};
  must(init_cluster(options_.folder / "cluster", plan));
  ids_ = nodes_of_cluster(options_.folder / "cluster");
  auto token = must(read_small_file(options_.folder / "cluster" / "admin-token", "the token"));
  token.resize(token.find_last_not_of('\n') + 1);
  const auto small = state_of(small_disk_node);
  fs::create_directories(small);
  if (::mount("novacron-chaos", small.c_str(), "tmpfs", 0, small_disk_size) != 0)
    no_small_disk_ = std::string{"a small disk can't be mounted: "} + std::strerror(errno);
  for (int node = 1; node <= nodes; ++node) {
    for (int to = 1; to < node; ++to)
      links_.emplace(
          std::pair{node, to},
          std::make_unique<link_proxy>(static_cast<uint16_t>(port_ + to),
                                       options_.seed + static_cast<uint64_t>(node * 10 + to)));
    api_.emplace(node, must(gateway_client::make(
                           "http://" + loopback(port_ + gateway_offset + node), token)));
    write_config(node);
    slow_down(node, 0ms);
  }
}

lab::~lab() {
  set_links(0, fault_way::both, {});
  keepers_.clear();
  end_leftovers(options_.folder, ids_);
  if (no_small_disk_.empty())
    ::umount2(state_of(small_disk_node).c_str(), MNT_DETACH);
}

void lab::start() {
  for (int node = 1; node <= nodes; ++node)
    keepers_.emplace(node, std::make_unique<node_keeper>(command_of(node)));
}

/// The node's file of cluster-configs/three-nodes; a real host's image has another
/// name, so that guests of the one kind are never placed on the other.
void lab::write_config(int node) const {
  const auto file = name(node) + ".toml";
  std::ifstream in{options_.configs / file, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  const std::string image = "[host.images.tick]";
  const auto at = text.find(image);
  if (at == std::string::npos)
    throw std::runtime_error{(options_.configs / file).string() + " has no " + image};
  if (is_real(node))
    text.replace(at, image.size(), "[host.images.real]");
  std::ofstream{options_.folder / file} << text;
}

child_command lab::command_of(int node) const {
  const std::string image = is_real(node) ? "real" : "tick";
  std::string controllers;
  for (int each = 1; each <= nodes; ++each) {
    const int port = each < node ? links_.at({node, each})->port() : port_ + each;
    controllers += (controllers.empty() ? "\"" : ",\"") + loopback(port) + '"';
  }
  std::vector<std::string> settings{
      "node.chaos=true",
      "mesh.listen=" + loopback(port_ + node),
      "mesh.controllers=[" + controllers + "]",
      "gateway.listen=" + loopback(port_ + gateway_offset + node),
      "gateway.operator_listen=" + loopback(port_ + operator_offset + node),
      "gateway.in_flight=" + std::to_string(requests_in_flight),
      "host.page_listen=" + loopback(port_ + page_offset + node),
      "host.hypervisor=" + std::string{is_real(node) ? "libvirt" : "simulated"},
      "host.images." + image + ".kernel=" + (options_.guest / "vmlinuz").string(),
      "host.images." + image + ".initrd=" + (options_.guest / "initrd.gz").string(),
      "host.vcpus=1024",
      "host.memory_mib=" + std::string{is_real(node) ? "2048" : "100000"},
  };
  if (const auto* self = ::geteuid() != 0 ? ::getpwuid(::geteuid()) : nullptr)
    settings.push_back("host.user=" + std::string{self->pw_name});
  // env becomes the node: the pid is the node's.
  child_command command{"/usr/bin/env",
                        {"LD_PRELOAD=" + options_.bad_disk.string(),
                         "NOVACRON_CHAOS_SYNC=" + sync_file(options_.folder, node).string(),
                         options_.program.string(), "node", "--config",
                         (options_.folder / (name(node) + ".toml")).string(), "--folder",
                         options_.folder.string()},
                        log_of(node)};
  for (auto& setting : settings) {
    command.arguments.emplace_back("--set");
    command.arguments.push_back(std::move(setting));
  }
  return command;
}

census_places lab::places() const {
  census_places where;
  for (int node = 1; node <= nodes; ++node)
    if (!is_real(node))
      where.machines.emplace(name(node), state_of(node));
  if (options_.real)
    where.real = ids_;
  return where;
}

std::vector<fs::path> lab::consoles_of(const std::string& vm) const {
  std::vector<fs::path> logs;
  for (int node = 1; node <= nodes; ++node)
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

void lab::set_links(int node, fault_way way, const link_condition& condition) {
  for (auto& [ends, link] : links_) {
    const auto [from, to] = ends;
    if (node != 0 && from != node && to != node)
      continue;
    // What leaves `from` goes there.
    const bool dials = node == 0 || from == node;
    if (way != (dials ? fault_way::in : fault_way::out))
      link->set(link_proxy::there, condition);
    if (way != (dials ? fault_way::out : fault_way::in))
      link->set(link_proxy::back, condition);
  }
}

uint64_t lab::mesh_bytes() const {
  uint64_t sum = 0;
  for (const auto& [ends, link] : links_)
    sum += link->bytes();
  return sum;
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
