#pragma once

#include "messages/address.hpp"
#include "messages/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <toml++/toml.h>
#include <vector>

namespace novacron {

/// Where a configuration comes from, and the first thing that is wrong with it.
struct config_reading {
  std::string source;           ///< names the file in complaints
  std::filesystem::path folder; ///< relative paths start here
  std::optional<failure> wrong;

  /// Keeps the first complaint; `at` says in which line.
  void complain(const toml::node* at, const std::string& what);
};

/// Whether a key must be there, and what it looks like.
struct key_rule {
  std::string_view example; ///< as one would write it in the file
  bool required = false;
};
inline constexpr key_rule needed(std::string_view example) {
  return {example, true};
}
inline constexpr key_rule optional_key(std::string_view example) {
  return {example, false};
}

/// Reads one table key by key. A key that is absent and not required leaves its
/// target as it is; anything wrong becomes a complaint, and reading goes on.
class table_reader {
public:
  /// `table` may be null: then every key is absent. `name` is its place in the
  /// file, such as "host.images.tick"; empty for the file itself.
  table_reader(config_reading& reading, const toml::table* table, std::string name);

  void read(std::string_view key, std::string& out, key_rule rule);
  void read(std::string_view key, bool& out, key_rule rule);
  void read(std::string_view key, address& out, key_rule rule);
  void read(std::string_view key, std::vector<address>& out, key_rule rule);
  void read(std::string_view key, std::vector<std::string>& out, key_rule rule);
  /// Made absolute.
  void read(std::string_view key, std::filesystem::path& out, key_rule rule);
  /// A whole number of milliseconds from 1 to a day.
  void read(std::string_view key, std::chrono::milliseconds& out, key_rule rule);

  /// A whole number from 1 to `most`.
  template <class T>
  void read_number(std::string_view key, T& out, key_rule rule,
                   uint64_t most = std::numeric_limits<T>::max()) {
    if (const auto value = number(key, rule, most))
      out = static_cast<T>(*value);
  }

  /// The table of this name; null when absent, with a complaint if `required`.
  const toml::table* table(std::string_view key, bool required = false, std::string_view why = "");

  /// Complains about this key's value.
  void complain(std::string_view key, const std::string& what);

  /// Complains about the first key that nobody asked for. Call it last.
  void finish();

private:
  const toml::node* find(std::string_view key, key_rule rule);
  void wrong_type(std::string_view key, const toml::node& node, std::string_view wanted,
                  key_rule rule);
  std::optional<uint64_t> number(std::string_view key, key_rule rule, uint64_t most);
  [[nodiscard]] std::string place() const;

  config_reading& reading_;
  const toml::table* table_;
  std::string name_;
  std::vector<std::string> known_;
};

} // namespace novacron
