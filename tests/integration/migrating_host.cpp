#include "tests/integration/migrating_host.hpp"

#include "actors/host/host.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "dwcp/kept_memory/kept_memory.hpp"
#include "hypervisor/libvirt/libvirt_hypervisor.hpp"
#include "messages/address.hpp"
#include "tests/integration/control_actors.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <csignal>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>

namespace novacron::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

constexpr auto death_patience = 5s;

/// The path that the other end of a UNIX socket is bound to.
std::string peer_path(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0
      || address.sun_family != AF_UNIX || size <= sizeof address.sun_family)
    return {};
  return address.sun_path;
}

frontend_actor::behavior_type way_to_log(frontend_actor::pointer self, frontend_actor frontend,
                                         std::function<void(const proposal&)> before) {
  return {[=](const proposal& what) {
            if (before)
              before(what);
            return self->delegate(frontend, what);
          },
          [=](const group_status_request& what) { return self->delegate(frontend, what); }};
}

peers_actor::behavior_type way_to_peers(peers_actor::pointer,
                                        std::function<link_actor(const std::string&)> connect) {
  return {[=](caf::connect_atom, node_id, const std::string& where) -> caf::result<link_actor> {
    if (auto link = connect(where))
      return link;
    return caf::make_error(caf::sec::cannot_connect_to_node);
  }};
}

} // namespace

migrating_host::migrating_host(std::string name, agent_setup setup)
    : name_{std::move(name)}, setup_{std::move(setup)}, fencer_{machine_.attach()},
      libvirt_socket_{fencer_->libvirt_socket()}, plan_{std::make_shared<interruptions>(setup_.log,
                                                                                        name_)} {
  fs::create_directory(state() / "image");
  for (const auto* file : {"vmlinuz", "initrd.gz"})
    fs::copy_file(fs::path{NOVACRON_GUEST_FOLDER} / file, state() / "image" / file);
  start_agent();
}

migrating_host::~migrating_host() {
  plan_->clear();
  kill_agent();
  becomes_true(death_patience, [&] {
    bury_dead();
    return dead_.empty();
  });
}

/// Contexts go here, not on a thread of their own pool.
void migrating_host::bury_dead() {
  std::lock_guard lock{mutex_};
  std::erase_if(dead_, [](const agent& x) { return x.context.use_count() == 1; });
}

std::shared_ptr<hypervisor> migrating_host::connect_to_libvirt() {
  std::shared_ptr<hypervisor> driver;
  std::string why;
  becomes_true(60s, [&] {
    auto made = make_libvirt_hypervisor(
        {libvirt_socket_, machine_.config.mode, machine_.config.host, {}, true});
    if (made)
      driver = std::move(*made);
    else
      why = made.error().message;
    return made.has_value();
  });
  REQUIRE_MESSAGE(driver != nullptr, why);
  return driver;
}

void migrating_host::describe(host_context& context) {
  context.state = state();
  context.tls = setup_.issue(id());
  context.log = setup_.log;
  if (setup_.kept_bytes > 0)
    context.kept = kept_memory::open(state() / "kept-memory", setup_.kept_bytes).value();
  context.images.emplace(
      "lab", image_files{state() / "image" / "vmlinuz", state() / "image" / "initrd.gz"});
  context.pool = std::make_shared<blocking_pool>(8);
  auto door = open_page_door(context.tls, "127.0.0.1", 0);
  REQUIRE_MESSAGE(door.has_value(), (door ? "" : door.error().message));
  context.pages = std::move(*door);
  context.move_deadline = [this](std::chrono::nanoseconds deadline) {
    std::lock_guard lock{fencer_mutex_};
    return fencer_->set_deadline(deadline);
  };
  auto& self = context.self;
  self.id = id();
  self.name = name_;
  self.mesh_address = name_;
  self.page_address = to_string(address{"127.0.0.1", context.pages->port()});
  self.vcpus = 4;
  self.memory_mib = 2'048;
  self.images = {"lab"};
  self.hypervisor = context.driver->description();
  self.accelerator = context.driver->accelerator();
  self.live_migration_problem = context.driver->live_migration_problem();
  self.boot = boot_id{uuid{1, 1}};
}

void migrating_host::open_ways(agent& life) {
  auto& system = setup_.system;
  auto& context = *life.context;
  auto log
      = system.spawn<caf::detached>(way_to_log, setup_.control.frontend, setup_.before_proposal);
  auto peers = system.spawn(way_to_peers, setup_.connect);
  life.ways = {caf::actor_cast<caf::actor>(log), caf::actor_cast<caf::actor>(peers)};
  context.frontend.set(log);
  context.peers.set(peers);
  context.feed.set(caf::actor_cast<feed_source_actor>(setup_.control.feed));
}

void migrating_host::find_control() {
  std::lock_guard lock{mutex_};
  if (!living_)
    return;
  const auto before = std::exchange(living_->ways, {});
  open_ways(*living_);
  for (const auto& way : before)
    caf::anon_send_exit(way, caf::exit_reason::kill);
}

void migrating_host::start_agent() {
  {
    std::lock_guard lock{mutex_};
    if (living_)
      return;
  }
  bury_dead();
  auto life = std::make_unique<agent>();
  life->context = std::make_shared<host_context>();
  auto& context = *life->context;
  life->driver = std::make_shared<interrupting_hypervisor>(connect_to_libvirt(), plan_);
  context.driver = life->driver;
  describe(context);
  open_ways(*life);
  auto& system = setup_.system;
  supervisor_spec spec;
  spec.name = "guests";
  spec.intensity = 100;
  auto guests = system.spawn(supervisor, spec, setup_.log);
  context.guests.set(caf::actor_cast<supervisor_actor>(guests));
  auto host_handle = system.spawn(novacron::host, life->context);
  life->workers = {caf::actor_cast<caf::actor>(host_handle), caf::actor_cast<caf::actor>(guests)};
  std::lock_guard lock{mutex_};
  living_ = std::move(life);
}

void migrating_host::kill_agent() {
  std::unique_lock lock{mutex_};
  auto life = std::move(living_);
  lock.unlock();
  if (!life)
    return;
  auto driver = life->driver->die();
  for (const auto& way : life->ways)
    caf::anon_send_exit(way, caf::exit_reason::kill);
  caf::scoped_actor self{setup_.system};
  for (const auto& worker : life->workers) {
    self->monitor(worker);
    caf::anon_send_exit(worker, caf::exit_reason::kill);
  }
  for (size_t i = 0; i < life->workers.size(); ++i)
    self->receive([](const caf::down_msg&) {}, caf::after(death_patience) >> [] {});
  cut_connections(driver);
  auto& context = *life->context;
  context.frontend.clear();
  context.feed.clear();
  context.peers.clear();
  context.guests.clear();
  context.host.clear();
  life->ways.clear();
  life->workers.clear();
  lock.lock();
  dead_.push_back(std::move(*life));
}

/// The agent's connections to libvirtd end, as its process's would. The dying
/// driver may make one more: so until it is gone.
void migrating_host::cut_connections(const std::weak_ptr<hypervisor>& driver) const {
  becomes_true(death_patience, [&] {
    for (const auto& entry : fs::directory_iterator{"/proc/self/fd"}) {
      auto fd = std::stoi(entry.path().filename());
      if (peer_path(fd) == libvirt_socket_)
        ::shutdown(fd, SHUT_RDWR);
    }
    return driver.expired();
  });
}

void migrating_host::kill_libvirtd() {
  int pid = 0;
  CHECK(becomes_true(death_patience, [&] {
    std::lock_guard lock{fencer_mutex_};
    auto status = fencer_->status();
    pid = status ? status->libvirtd_pid : 0;
    return pid > 0;
  }));
  if (pid <= 0)
    return;
  ::kill(pid, SIGKILL);
  CHECK(becomes_true(death_patience, [=] { return !alive(pid); }));
}

void migrating_host::kill_guest(vm_id vm) {
  for (auto pid : processes(vm)) {
    ::kill(pid, SIGKILL);
    CHECK(becomes_true(death_patience, [=] { return !alive(pid); }));
  }
}

host_actor migrating_host::host() {
  std::lock_guard lock{mutex_};
  return living_ ? living_->context->host.get() : host_actor{};
}

std::vector<guest_status> migrating_host::guests() {
  std::shared_ptr<interrupting_hypervisor> driver;
  {
    std::lock_guard lock{mutex_};
    if (living_)
      driver = living_->driver;
  }
  REQUIRE(driver != nullptr);
  std::vector<guest_status> found;
  std::string why;
  auto listed = becomes_true(20s, [&] {
    auto guests = driver->list();
    if (guests)
      found = *guests;
    else
      why = guests.error().message;
    return guests.has_value();
  });
  REQUIRE_MESSAGE(listed, why);
  return found;
}

std::vector<int> migrating_host::processes(vm_id vm) const {
  std::vector<int> pids;
  for (const auto& guest : find_guest_processes())
    if (guest.mark.host == id() && guest.mark.vm == vm)
      pids.push_back(guest.pid);
  return pids;
}

std::vector<std::string> migrating_host::leftovers() const {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto* folder : {"outgoing", "incoming", "finishing"})
    for (const auto& entry : fs::directory_iterator{state() / folder, none})
      found.push_back(name_ + ": " + folder + '/' + entry.path().filename().native());
  return found;
}

fs::path migrating_host::console_log(vm_id vm) const {
  return state() / "console" / (to_string(vm) + ".log");
}

} // namespace novacron::test
