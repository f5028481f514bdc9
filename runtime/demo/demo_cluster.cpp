#include "runtime/demo/demo_cluster.hpp"

#include "runtime/certificates/cluster_init.hpp"
#include "runtime/certificates/secret_file.hpp"
#include "runtime/cli/render.hpp"
#include "runtime/demo/leftovers.hpp"
#include "runtime/errors.hpp"
#include "runtime/node/state_lock.hpp"

#include <boost/json/serialize.hpp>
#include <pwd.h>
#include <thread>
#include <unistd.h>

namespace novacron {

namespace {

constexpr std::chrono::milliseconds ask_every{25};
constexpr int page_ports = 10; ///< offsets from --port, as in cluster-configs/dev
constexpr int gateway_port = 80;
constexpr int operator_port = 90;

constexpr auto loopback = "127.0.0.1";

} // namespace

demo_cluster::demo_cluster(const demo_options& options, bool simulated)
    : options_{options}, simulated_{simulated} {
  // nop
}

std::string demo_cluster::address(int offset) const {
  return std::string{loopback} + ':' + std::to_string(options_.port + offset);
}

std::string demo_cluster::url() const {
  return "http://" + address(gateway_port);
}

std::string demo_cluster::busy_address() const {
  std::vector<int> offsets{gateway_port, operator_port};
  for (int n = 1; n <= static_cast<int>(names.size()); ++n)
    offsets.insert(offsets.end(), {n, page_ports + n});
  for (const auto offset : offsets)
    if (!check_free({loopback, static_cast<uint16_t>(options_.port + offset)}, ""))
      return "somebody listens on " + address(offset) + " already; choose another --port";
  return {};
}

guest_finder demo_cluster::finder() const {
  if (!simulated_)
    return find_by_marks(ids_);
  std::vector<machine_config> machines;
  for (const auto* name : names)
    machines.push_back(machine_of_node(options_.folder / name));
  return find_in_machines(std::move(machines));
}

std::filesystem::path demo_cluster::token_file() const {
  return options_.folder / "cluster" / "admin-token";
}

std::filesystem::path demo_cluster::log_of(const std::string& node) const {
  return options_.folder / (node + ".log");
}

std::vector<std::filesystem::path> demo_cluster::consoles_of(const std::string& vm) const {
  std::vector<std::filesystem::path> logs;
  for (const auto* name : names)
    logs.push_back(options_.folder / name / "console" / (vm + ".log"));
  return logs;
}

result<void> demo_cluster::init() {
  if (auto made = init_cluster(options_.folder / "cluster", development_nodes()); !made)
    return made;
  ids_ = nodes_of_cluster(options_.folder / "cluster");
  auto token = read_small_file(token_file(), "the token");
  if (!token)
    return token.error();
  token->resize(token->find_last_not_of('\n') + 1);
  auto client = gateway_client::make(url(), *token);
  if (!client)
    return client.error();
  api_.emplace(std::move(*client));
  return {};
}

child_command demo_cluster::command_of(size_t number) const {
  const std::string name = names.at(number - 1);
  const auto n = static_cast<int>(number);
  std::vector<std::string> settings{
      "mesh.listen=" + address(n),
      "mesh.controllers=[\"" + address(1) + "\"]",
      "host.page_listen=" + address(page_ports + n),
      "host.hypervisor=" + std::string{simulated_ ? "simulated" : "libvirt"},
      "host.images.tick.kernel=" + (options_.guest / "vmlinuz").string(),
      "host.images.tick.initrd=" + (options_.guest / "initrd.gz").string(),
  };
  if (number == 1) {
    settings.push_back("gateway.listen=" + address(gateway_port));
    settings.push_back("gateway.operator_listen=" + address(operator_port));
  }
  if (const auto* self = ::geteuid() != 0 ? ::getpwuid(::geteuid()) : nullptr)
    settings.push_back("host.user=" + std::string{self->pw_name});
  child_command command{options_.program,
                        {"node", "--config", (options_.configs / (name + ".toml")).string(),
                         "--folder", options_.folder.string()},
                        log_of(name)};
  for (auto& setting : settings) {
    command.arguments.emplace_back("--set");
    command.arguments.push_back(std::move(setting));
  }
  return command;
}

result<void> demo_cluster::start(std::chrono::milliseconds limit) {
  for (size_t number = 1; number <= names.size(); ++number)
    launcher_.start(names.at(number - 1), command_of(number));
  auto up = await(
      "/api/v1/hosts",
      [](const boost::json::value& list) {
        const auto* items = field(list, "items").if_array();
        size_t count = 0;
        for (size_t i = 0; items && i < items->size(); ++i)
          count += field_text((*items)[i], "state") == "up" ? 1 : 0;
        return count == names.size();
      },
      limit);
  if (!up)
    return up.error();
  return {};
}

result<boost::json::value>
demo_cluster::await(const std::string& path,
                    const std::function<bool(const boost::json::value&)>& good,
                    std::chrono::milliseconds limit) const {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::string last = "nothing";
  while (std::chrono::steady_clock::now() < deadline) {
    if (auto dead = launcher_.given_up(); !dead.empty())
      return make_failure(runtime_errc::process, dead);
    client_request call;
    call.path = path;
    call.limit = std::chrono::seconds{2};
    auto reply = api_->ask(call);
    if (reply && reply->ok() && good(reply->body))
      return reply->body;
    last = reply ? boost::json::serialize(reply->body) : reply.error().message;
    std::this_thread::sleep_for(ask_every);
  }
  return make_failure(runtime_errc::timed_out, "GET " + path + " did not show what was awaited in "
                                                   + std::to_string(limit.count())
                                                   + " ms; last: " + last.substr(0, 600));
}

} // namespace novacron
