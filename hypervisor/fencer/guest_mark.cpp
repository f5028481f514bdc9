#include "hypervisor/fencer/fencer.hpp"

#include <charconv>

namespace novacron {

namespace {

/// Takes `key` and the value up to the next comma, or to the end, off `text`.
std::optional<std::string_view> take(std::string_view& text, std::string_view key) {
  if (!text.starts_with(key))
    return {};
  text.remove_prefix(key.size());
  auto end = std::min(text.find(','), text.size());
  auto value = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return value;
}

std::optional<uuid> take_uuid(std::string_view& text, std::string_view key) {
  auto value = take(text, key);
  return value ? parse_uuid(*value) : std::nullopt;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

} // namespace

std::string to_string(const guest_mark& mark) {
  return "host=" + to_string(mark.host) + ",vm=" + to_string(mark.vm)
         + ",epoch=" + to_string(mark.epoch) + ",ha=" + (mark.ha ? "1" : "0");
}

std::optional<guest_mark> parse_guest_mark(std::string_view text) {
  auto host = take_uuid(text, "host=");
  auto vm = take_uuid(text, "vm=");
  auto permission = take(text, "epoch=");
  auto ha = take(text, "ha=");
  if (!host || !vm || !permission || !ha || !text.empty() || (*ha != "0" && *ha != "1"))
    return {};
  auto dot = permission->find('.');
  guest_mark mark{{*host}, {*vm}, {}, *ha == "1"};
  if (dot == std::string_view::npos || !read_number(permission->substr(0, dot), mark.epoch.timeline)
      || !read_number(permission->substr(dot + 1), mark.epoch.number))
    return {};
  return mark;
}

} // namespace novacron
