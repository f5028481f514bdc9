#include "runtime/config/node_config.hpp"

#include <cstdint>
#include <cstdlib>

using namespace novacron;

/// A node's file, and a setting of the command line: the first line is the
/// setting, the rest the file. What is refused is refused in one line.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto end = std::min(text.find('\n'), text.size());
  config_overrides overrides{"/etc/novacron", {}};
  if (end > 0)
    overrides.settings.emplace_back(text.substr(0, end));
  const auto config = parse_config(text.substr(std::min(end + 1, size)), "node.toml", overrides);
  if (!config) {
    const auto& why = config.error().message;
    if (why.empty() || why.find('\n') != std::string::npos)
      std::abort();
    return 0;
  }
  if (config->name.empty() || config->roles.empty() || config->mesh.controllers.empty()
      || config->has(node_role::gateway) != config->gateway.has_value()
      || config->has(node_role::host) != config->host.has_value())
    std::abort();
  return 0;
}
