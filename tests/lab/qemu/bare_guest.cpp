#include "tests/lab/qemu/bare_guest.hpp"

#include "tests/becomes_true.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

namespace novacron::lab {

namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr const char* qemu = "/usr/bin/qemu-system-x86_64";
constexpr const char* ip = "/usr/sbin/ip";
constexpr auto loading_limit = 60s;

std::vector<std::string> arguments_of(const guest_setup& setup) {
  const auto in_folder
      = [&](const char* kind) { return (setup.folder / (setup.name + kind)).string(); };
  std::vector<std::string> out{"-accel",      "tcg",
                               "-M",          "q35",
                               "-cpu",        "qemu64",
                               "-smp",        "1",
                               "-m",          setup.memory,
                               "-display",    "none",
                               "-nodefaults", "-no-user-config",
                               "-serial",     "file:" + in_folder(".serial"),
                               "-qmp",        "unix:" + in_folder(".qmp") + ",server=on,wait=off",
                               "-kernel",     setup.image / "vmlinuz",
                               "-initrd",     setup.image / "initrd.gz",
                               "-append",     "console=ttyS0 quiet " + setup.kernel_arguments};
  out.insert(out.end(), setup.devices.begin(), setup.devices.end());
  if (!setup.incoming.empty())
    out.insert(out.end(), {"-incoming", setup.incoming});
  return out;
}

} // namespace

child_process start_in(const std::string& network_namespace, const std::filesystem::path& program,
                       std::vector<std::string> arguments, const std::filesystem::path& log) {
  auto first = program;
  if (!network_namespace.empty()) {
    arguments.insert(arguments.begin(), {"netns", "exec", network_namespace, program.string()});
    first = ip;
  }
  auto started = child_process::start({first, std::move(arguments), log});
  if (!started)
    throw std::runtime_error{started.error().message};
  return std::move(*started);
}

double cpu_seconds_of(pid_t process) {
  std::ifstream in{"/proc/" + std::to_string(process) + "/stat"};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  const auto name_end = text.rfind(')');
  if (name_end == text.npos)
    return 0;
  std::istringstream fields{text.substr(name_end + 1)};
  std::string skipped;
  for (int i = 3; i < 14; ++i) // proc(5): utime is the 14th field, stime the next
    fields >> skipped;
  double user = 0;
  double kernel = 0;
  fields >> user >> kernel;
  return (user + kernel) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

bare_guest::bare_guest(const guest_setup& setup)
    : serial_{setup.folder / (setup.name + ".serial")}, process_{start_in(
                                                            setup.network_namespace, qemu,
                                                            arguments_of(setup),
                                                            setup.folder / (setup.name + ".log"))} {
  monitor_.emplace(setup.folder / (setup.name + ".qmp"));
}

void bare_guest::set_capabilities(const std::vector<std::string>& names) {
  json::array list;
  for (const auto& name : names)
    list.push_back({{"capability", name}, {"state", true}});
  monitor_->call("migrate-set-capabilities", {{"capabilities", std::move(list)}});
}

void bare_guest::wait_until_loaded() {
  const auto loaded = becomes_true(loading_limit, [&] {
    const auto status = monitor_->call("query-status");
    return status.at("status").as_string() == "paused";
  });
  if (!loaded)
    throw std::runtime_error{"the saved state isn't loaded: "
                             + json::serialize(monitor_->call("query-status"))};
}

void bare_guest::wait_until_sent(std::chrono::seconds limit) {
  const auto ended = becomes_true(limit, [&] {
    const auto job = monitor_->call("query-migrate").as_object();
    const auto* status = job.if_contains("status");
    if (status != nullptr && status->as_string() == "failed")
      throw std::runtime_error{"QEMU could not send it: " + json::serialize(job)};
    return status != nullptr && status->as_string() == "completed";
  });
  if (!ended)
    throw std::runtime_error{"QEMU has not sent it in " + std::to_string(limit.count()) + " s"};
}

double bare_guest::cpu_seconds() const {
  return cpu_seconds_of(process_.pid());
}

} // namespace novacron::lab
