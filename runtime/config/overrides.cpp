#include "runtime/config/overrides.hpp"

#include "runtime/errors.hpp"

namespace novacron {

namespace {

failure refused(const std::string& setting, const std::string& why) {
  return make_failure(runtime_errc::configuration,
                      "--set " + setting + ": " + why
                          + "; write for example --set mesh.listen=127.0.0.1:7101");
}

void put(toml::table& table, std::string_view key, const std::string& value,
         const std::string& setting) {
  try {
    auto parsed = toml::parse("x = " + value, "--set " + setting);
    if (auto* node = parsed.get("x"); node && parsed.size() == 1) {
      node->visit([&](auto& x) { table.insert_or_assign(key, std::move(x)); });
      return;
    }
  } catch (const toml::parse_error&) {
    // text, then
  }
  table.insert_or_assign(key, value);
}

} // namespace

result<void> apply_setting(toml::table& table, const std::string& setting) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0)
    return refused(setting, "that is no key=value");
  auto path = std::string_view{setting}.substr(0, equals);
  auto* at = &table;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
    const auto name = path.substr(0, dot);
    path.remove_prefix(dot + 1);
    if (!at->contains(name))
      at->insert(name, toml::table{});
    at = at->get(name)->as_table();
    if (!at)
      return refused(setting, '"' + std::string{name} + "\" is not a section");
  }
  if (path.empty())
    return refused(setting, "the key is empty");
  put(*at, path, setting.substr(equals + 1), setting);
  return {};
}

} // namespace novacron
