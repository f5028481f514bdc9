#include "hypervisor/fencer/fencer_arguments.hpp"

#include "hypervisor/errors.hpp"

#include <charconv>

namespace novacron {

std::vector<std::string> fencer_arguments(const fencer_config& config) {
  std::vector<std::string> arguments{"fencer",
                                     "--host",
                                     to_string(config.host),
                                     "--state",
                                     config.state.native(),
                                     "--mode",
                                     config.mode == libvirt_mode::session ? "session" : "system",
                                     "--user",
                                     config.user,
                                     "--libvirtd",
                                     config.libvirtd.native()};
  if (const auto& watchdog = config.watchdog)
    for (const auto& each :
         {std::string{"--watchdog"}, watchdog->device.native(), std::string{"--watchdog-timeout"},
          std::to_string(watchdog->timeout.count())})
      arguments.push_back(each);
  return arguments;
}

namespace {

bool read_option(fencer_config& config, const std::string& name, const std::string& value) {
  if (name == "--host") {
    auto host = parse_uuid(value);
    config.host = {host.value_or(uuid{})};
    return host && !config.host.nil();
  }
  if (name == "--mode") {
    config.mode = value == "system" ? libvirt_mode::system : libvirt_mode::session;
    return value == "system" || value == "session";
  }
  if (name == "--watchdog-timeout") {
    int seconds = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (!config.watchdog || error != std::errc{} || end != value.data() + value.size())
      return false;
    config.watchdog->timeout = std::chrono::seconds{seconds};
    return seconds > 0;
  }
  if (name == "--watchdog")
    config.watchdog.emplace().device = value;
  else if (name == "--state")
    config.state = value;
  else if (name == "--user")
    config.user = value;
  else if (name == "--libvirtd")
    config.libvirtd = value;
  else
    return false;
  return !value.empty();
}

} // namespace

result<fencer_config> parse_fencer_arguments(std::span<const std::string> arguments) {
  auto usage = [](const std::string& what) {
    return make_failure(hypervisor_errc::refused,
                        "can't start a fencer: " + what
                            + "; say: fencer --host UUID --state FOLDER --mode session|system "
                              "--user NAME --libvirtd PATH [--watchdog DEVICE "
                              "--watchdog-timeout SECONDS]");
  };
  if (arguments.empty() || arguments[0] != "fencer")
    return usage("the first argument isn't \"fencer\"");
  fencer_config config;
  for (size_t i = 1; i < arguments.size(); i += 2)
    if (i + 1 == arguments.size() || !read_option(config, arguments[i], arguments[i + 1]))
      return usage("argument " + arguments[i] + " is unknown, or its value is missing or wrong");
  if (config.host.nil() || config.state.empty())
    return usage("--host and --state are missing");
  return config;
}

} // namespace novacron
