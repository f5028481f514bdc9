#include "runtime/node/host_setup.hpp"

#include "dwcp/kept_memory/kept_memory.hpp"
#include "dwcp/session/link_share.hpp"
#include "hypervisor/errors.hpp"
#include "hypervisor/fencer/fencer.hpp"
#include "hypervisor/fencer/watchdog_rule.hpp"
#include "hypervisor/libvirt/libvirt_hypervisor.hpp"
#include "hypervisor/simulated/machine.hpp"
#include "messages/address.hpp"
#include "runtime/errors.hpp"
#include "runtime/node/cpu_features.hpp"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr unsigned blocking_threads = 8;
constexpr uint64_t bytes_of_a_mbit = 125'000;
constexpr auto driver_patience = 60s;
constexpr auto driver_retry = 200ms;

/// The boot of this machine's operating system, as the kernel names it.
boot_id this_boot() {
  std::ifstream file{"/proc/sys/kernel/random/boot_id"};
  std::string text;
  file >> text;
  return {parse_uuid(text).value_or(uuid{0, 1})};
}

/// The agent's connection to its fencer, made again when it breaks: a fencer
/// that died is started anew, and reads the deadline that it had.
class fencer_line {
public:
  fencer_line(fencer_config config, std::filesystem::path program)
      : config_{std::move(config)}, program_{std::move(program)} {
    // nop
  }

  result<std::filesystem::path> attach() {
    std::lock_guard lock{mutex_};
    if (auto attached = attach_locked(); !attached)
      return attached.error();
    return client_->libvirt_socket();
  }

  result<void> set_deadline(std::chrono::nanoseconds deadline) {
    std::lock_guard lock{mutex_};
    if (client_)
      if (auto done = client_->set_deadline(deadline))
        return done;
    client_.reset();
    if (auto attached = attach_locked(); !attached)
      return attached.error();
    return client_->set_deadline(deadline);
  }

private:
  result<void> attach_locked() {
    auto client = fencer_client::attach(config_, program_);
    if (!client)
      return client.error();
    client_.emplace(std::move(*client));
    return {};
  }

  fencer_config config_;
  std::filesystem::path program_;
  std::mutex mutex_;
  std::optional<fencer_client> client_;
};

/// libvirtd may have been started a moment ago: tries until it answers.
result<std::shared_ptr<hypervisor>> connect_to_libvirt(const libvirt_config& config) {
  auto deadline = std::chrono::steady_clock::now() + driver_patience;
  for (;;) {
    auto driver = make_libvirt_hypervisor(config);
    if (driver)
      return std::shared_ptr<hypervisor>{std::move(*driver)};
    if (driver.error().code != hypervisor_errc::unreachable
        || std::chrono::steady_clock::now() >= deadline)
      return driver.error();
    std::this_thread::sleep_for(driver_retry);
  }
}

result<void> choose_driver(host_context& context, const node_start& start) {
  const auto& host = *start.config.host;
  if (host.hypervisor == host_driver::simulated) {
    auto driver = make_machine_driver(machine_of_node(context.state), start.program);
    if (!driver)
      return driver.error();
    context.driver = std::move(*driver);
    context.move_deadline = [machine = machine_of_node(context.state)](auto deadline) {
      return set_machine_deadline(machine, deadline);
    };
    return {};
  }
  fencer_config fencer{start.config.id, context.state / "fencer", host.mode, host.user,
                       "/usr/sbin/libvirtd"};
  if (!host.watchdog.empty())
    fencer.watchdog = watchdog_config{host.watchdog, watchdog_timeout(context.lease_term)};
  auto line = std::make_shared<fencer_line>(fencer, start.program);
  auto socket = line->attach();
  if (!socket)
    return socket.error();
  if (host.fencer) {
    context.move_deadline
        = [line](std::chrono::nanoseconds deadline) { return line->set_deadline(deadline); };
    context.keep_fencer = [line]() -> result<void> {
      auto attached = line->attach();
      return attached ? result<void>{} : attached.error();
    };
  }
  auto driver = connect_to_libvirt({*socket,
                                    host.mode,
                                    start.config.id,
                                    context.self.boot,
                                    true,
                                    {context.state / "streams", context.state / "console"}});
  if (!driver)
    return driver.error();
  context.driver = std::move(*driver);
  return {};
}

std::string read_whole(const char* path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// A guest that finds no bridge would fail when it is started, or arrives.
result<void> take_networks(host_context& context, const host_section& section) {
  for (const auto& [name, network] : section.networks) {
    const auto& bridge = network.bridge;
    if (section.hypervisor == host_driver::libvirt
        && !std::filesystem::exists("/sys/class/net/" + bridge + "/bridge"))
      return make_failure(runtime_errc::configuration,
                          "host.networks." + name + ".bridge: this machine has no bridge " + bridge
                              + "; make it (ip link add " + bridge
                              + " type bridge), or name another");
    context.networks.emplace(name, bridge);
  }
  return {};
}

result<void> describe(host_record& self, hypervisor& driver, const host_section& section) {
  auto capacity = driver.capacity();
  if (!capacity)
    return capacity.error();
  self.vcpus = std::min(section.vcpus.value_or(capacity->vcpus), uint32_t{1024});
  self.memory_mib = section.memory_mib.value_or(capacity->memory_mib);
  for (const auto& [name, files] : section.images)
    self.images.push_back(name);
  for (const auto& [name, network] : section.networks)
    self.networks.push_back(name);
  self.hypervisor = driver.description();
  self.accelerator = driver.accelerator();
  self.live_migration_problem = driver.live_migration_problem();
  self.labels = section.labels;
  self.memory_overcommit_percent = section.memory_overcommit_percent;
  self.vcpu_overcommit_percent = section.vcpu_overcommit_percent;
  self.migrations_at_once = section.migrations_at_once;
  self.migrations_between_sites = section.migrations_between_sites;
  if (self.accelerator == "kvm") // else guests see an emulated CPU, the same everywhere
    self.cpu_features = cpu_features_of(read_whole("/proc/cpuinfo"));
  return {};
}

} // namespace

result<std::shared_ptr<host_context>> set_up_host(const node_start& start) {
  const auto& config = start.config;
  auto context = std::make_shared<host_context>();
  context->state = config.state;
  context->tls = config.tls;
  context->log = start.log;
  context->lease_term = config.lease.term;
  context->renew_every = config.lease.renew;
  context->self.id = config.id;
  context->self.name = config.name;
  context->self.boot = this_boot();
  context->self.mesh_address = to_string(address{config.mesh.listen.host, config.mesh.listen.port});
  for (const auto& [name, files] : config.host->images)
    context->images.emplace(name, image_files{files.kernel, files.initrd});
  if (auto there = take_networks(*context, *config.host); !there)
    return there.error();
  context->pool = std::make_shared<blocking_pool>(blocking_threads);
  context->page_share = link_share::make(uint64_t{config.host->migration_mbit} * bytes_of_a_mbit);
  if (config.host->kept_memory_mib > 0) {
    auto kept = kept_memory::open(config.state / "kept-memory", config.host->kept_memory_mib << 20);
    if (!kept)
      return kept.error();
    context->kept = std::move(*kept);
  }
  if (auto chosen = choose_driver(*context, start); !chosen)
    return chosen.error();
  auto door
      = open_page_door(config.tls, config.host->page_listen.host, config.host->page_listen.port);
  if (!door)
    return door.error();
  context->self.page_address = to_string(address{config.host->page_listen.host, (*door)->port()});
  context->pages = std::move(*door);
  context->self.fences = static_cast<bool>(context->move_deadline);
  if (auto described = describe(context->self, *context->driver, *config.host); !described)
    return described.error();
  return context;
}

} // namespace novacron
