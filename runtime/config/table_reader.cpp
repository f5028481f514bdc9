#include "runtime/config/table_reader.hpp"

#include "runtime/config/nearest_name.hpp"
#include "runtime/errors.hpp"

#include <algorithm>
#include <sstream>

namespace novacron {

namespace {

constexpr size_t max_shown = 60; ///< of a wrong value

std::string type_of(const toml::node& node) {
  switch (node.type()) {
  case toml::node_type::string:
    return "text";
  case toml::node_type::integer:
    return "a whole number";
  case toml::node_type::floating_point:
    return "a number with a point";
  case toml::node_type::boolean:
    return "true or false";
  case toml::node_type::array:
    return "a list";
  case toml::node_type::table:
    return "a table";
  default:
    return "a date or time";
  }
}

std::string shown(const toml::node& node) {
  std::ostringstream out;
  node.visit([&](const auto& value) {
    if constexpr (toml::is_table<decltype(value)>)
      out << "{…}";
    else
      out << value;
  });
  auto text = out.str();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > max_shown)
    text = text.substr(0, max_shown) + "…";
  return text;
}

} // namespace

void config_reading::complain(const toml::node* at, const std::string& what) {
  if (wrong)
    return;
  if (at && at->source().path) { // it came with --set
    wrong = make_failure(runtime_errc::configuration, *at->source().path + ": " + what);
    return;
  }
  const auto line = at ? at->source().begin.line : 0;
  wrong = make_failure(runtime_errc::configuration,
                       source + (line > 0 ? ':' + std::to_string(line) : "") + ": " + what);
}

table_reader::table_reader(config_reading& reading, const toml::table* table, std::string name)
    : reading_{reading}, table_{table}, name_{std::move(name)} {
  // nop
}

std::string table_reader::place() const {
  return name_.empty() ? "" : '[' + name_ + "] ";
}

const toml::node* table_reader::find(std::string_view key, key_rule rule) {
  known_.emplace_back(key);
  const auto* node = table_ ? table_->get(key) : nullptr;
  if (!node && rule.required)
    reading_.complain(table_, place() + std::string{key} + " is missing; write for example "
                                  + std::string{key} + " = " + std::string{rule.example});
  return node;
}

void table_reader::wrong_type(std::string_view key, const toml::node& node, std::string_view wanted,
                              key_rule rule) {
  reading_.complain(&node, place() + std::string{key} + " = " + shown(node) + " is " + type_of(node)
                               + "; expected " + std::string{wanted} + ", for example "
                               + std::string{rule.example});
}

void table_reader::complain(std::string_view key, const std::string& what) {
  const auto* node = table_ ? table_->get(key) : nullptr;
  reading_.complain(node ? node : table_,
                    place() + std::string{key} + (node ? " = " + shown(*node) : "") + ' ' + what);
}

void table_reader::read(std::string_view key, std::string& out, key_rule rule) {
  const auto* node = find(key, rule);
  if (!node)
    return;
  if (const auto* text = node->as_string(); text && !text->get().empty())
    out = text->get();
  else
    wrong_type(key, *node, "text that isn't empty", rule);
}

void table_reader::read(std::string_view key, bool& out, key_rule rule) {
  const auto* node = find(key, rule);
  if (!node)
    return;
  if (const auto* value = node->as_boolean())
    out = value->get();
  else
    wrong_type(key, *node, "true or false", rule);
}

void table_reader::read(std::string_view key, address& out, key_rule rule) {
  const auto* node = find(key, rule);
  if (!node)
    return;
  const auto* text = node->as_string();
  const auto value = text ? parse_address(text->get()) : std::nullopt;
  if (value && value->port != 0)
    out = *value;
  else
    wrong_type(key, *node, "an address and a port", rule);
}

void table_reader::read(std::string_view key, std::vector<std::string>& out, key_rule rule) {
  const auto* node = find(key, rule);
  if (!node)
    return;
  const auto* list = node->as_array();
  if (!list || list->empty())
    return wrong_type(key, *node, "a list of text that isn't empty", rule);
  out.clear();
  for (const auto& item : *list) {
    const auto* text = item.as_string();
    if (!text)
      return wrong_type(key, item, "text", rule);
    out.push_back(text->get());
  }
}

void table_reader::read(std::string_view key, std::vector<address>& out, key_rule rule) {
  std::vector<std::string> texts;
  read(key, texts, rule);
  out.clear();
  for (const auto& text : texts)
    if (auto value = parse_address(text); value && value->port != 0)
      out.push_back(*value);
    else
      complain(key, "holds \"" + text + "\"; expected addresses with ports, for example "
                        + std::string{rule.example});
}

void table_reader::read(std::string_view key, std::filesystem::path& out, key_rule rule) {
  std::string text;
  read(key, text, rule);
  if (!text.empty())
    out = (reading_.folder / text).lexically_normal();
}

std::optional<uint64_t> table_reader::number(std::string_view key, key_rule rule, uint64_t most) {
  const auto* node = find(key, rule);
  if (!node)
    return std::nullopt;
  const auto* value = node->as_integer();
  if (value && value->get() >= 1 && static_cast<uint64_t>(value->get()) <= most)
    return static_cast<uint64_t>(value->get());
  if (value)
    complain(key, "is out of range; expected 1 to " + std::to_string(most));
  else
    wrong_type(key, *node, "a whole number", rule);
  return std::nullopt;
}

void table_reader::read(std::string_view key, std::chrono::milliseconds& out, key_rule rule) {
  constexpr uint64_t day = 86'400'000;
  if (const auto value = number(key, rule, day))
    out = std::chrono::milliseconds{*value};
}

const toml::table* table_reader::table(std::string_view key, bool required, std::string_view why) {
  known_.emplace_back(key);
  const auto* node = table_ ? table_->get(key) : nullptr;
  const auto inner = (name_.empty() ? "" : name_ + '.') + std::string{key};
  if (!node) {
    if (required)
      reading_.complain(nullptr, "the section [" + inner + "] is missing" + std::string{why});
    return nullptr;
  }
  if (!node->is_table())
    reading_.complain(node, inner + " = " + shown(*node) + " is " + type_of(*node)
                                + "; expected a section [" + inner + ']');
  return node->as_table();
}

void table_reader::finish() {
  if (!table_)
    return;
  for (const auto& [key, value] : *table_)
    if (std::find(known_.begin(), known_.end(), key.str()) == known_.end())
      return reading_.complain(
          &value, (name_.empty() ? "unknown section [" + std::string{key.str()} + ']'
                                 : place() + "has no key \"" + std::string{key.str()} + '"')
                      + "; " + hint_for(key.str(), known_));
}

} // namespace novacron
