#include "actors/gateway/target.hpp"

#include <algorithm>
#include <charconv>

namespace novacron {

namespace {

std::optional<unsigned> hex_digit(char c) {
  unsigned x = 0;
  auto [end, error] = std::from_chars(&c, &c + 1, x, 16);
  if (error != std::errc{} || end != &c + 1)
    return std::nullopt;
  return x;
}

/// Nothing for a bad escape or an encoded NUL.
std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      result += ' ';
    } else if (text[i] != '%') {
      result += text[i];
    } else {
      auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
      auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
      if (!high || !low || (*high == 0 && *low == 0))
        return std::nullopt;
      result += static_cast<char>(*high * 16 + *low);
      i += 2;
    }
  }
  return result;
}

problem bad_escape() {
  return bad_request(
      "the path has a broken percent-escape; write it as % and two hexadecimal digits");
}

/// Calls `fn` with each part; stops when it returns false.
template <class Fn>
void split(std::string_view text, char separator, Fn fn) {
  while (!text.empty()) {
    auto end = std::min(text.find(separator), text.size());
    if (end > 0 && !fn(text.substr(0, end)))
      return;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::optional<uint64_t> whole_number(std::string_view text) {
  uint64_t x = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return x;
}

} // namespace

const std::string* request_target::find(const std::string& parameter) const {
  auto at = query.find(parameter);
  return at == query.end() ? nullptr : &at->second;
}

parsed<request_target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/')
    return bad_request("the request's target must be a path that starts with /");
  request_target result;
  auto mark = std::min(target.find('?'), target.size());
  result.path = target.substr(0, mark);
  bool good = true;
  split(target.substr(0, mark), '/', [&](std::string_view part) {
    auto segment = decode(part, false);
    good = segment.has_value();
    if (good)
      result.segments.push_back(std::move(*segment));
    return good;
  });
  if (!good)
    return bad_escape();
  std::optional<problem> wrong;
  split(target.substr(std::min(mark + 1, target.size())), '&', [&](std::string_view part) {
    auto equals = std::min(part.find('='), part.size());
    auto name = decode(part.substr(0, equals), true);
    auto value = decode(part.substr(std::min(equals + 1, part.size())), true);
    if (!name || !value)
      wrong = bad_escape();
    else if (!result.query.emplace(*name, *value).second)
      wrong = bad_field("?" + *name, "the parameter " + *name + " stands twice; send it once");
    return !wrong;
  });
  if (wrong)
    return *wrong;
  return result;
}

parsed<void> only_parameters(const request_target& target,
                             const std::vector<std::string_view>& known) {
  for (const auto& [name, value] : target.query) {
    if (std::ranges::find(known, name) != known.end())
      continue;
    std::string list;
    for (auto each : known)
      list += (list.empty() ? "" : ", ") + std::string{each};
    return bad_field("?" + name, "the parameter " + name + " is not known here; leave it out"
                                     + (list.empty() ? "" : ". Known: " + list));
  }
  return {};
}

parsed<uint64_t> number_parameter(const request_target& target, const std::string& name,
                                  uint64_t low, uint64_t high, uint64_t fallback) {
  auto* text = target.find(name);
  if (text == nullptr)
    return fallback;
  auto x = whole_number(*text);
  if (!x || *x < low || *x > high)
    return bad_field("?" + name, "the parameter " + name + " must be a whole number from "
                                     + std::to_string(low) + " to " + std::to_string(high));
  return *x;
}

parsed<std::chrono::milliseconds> duration_parameter(const request_target& target,
                                                     const std::string& name,
                                                     std::chrono::milliseconds longest) {
  auto* text = target.find(name);
  if (text == nullptr)
    return std::chrono::milliseconds{0};
  std::string_view number = *text;
  uint64_t unit = 0;
  if (number.ends_with("ms")) {
    unit = 1;
    number.remove_suffix(2);
  } else if (number.ends_with('s')) {
    unit = 1'000;
    number.remove_suffix(1);
  }
  auto x = whole_number(number);
  if (unit == 0 || !x || *x > 1'000'000'000)
    return bad_field("?" + name,
                     "the parameter " + name + " must be a duration such as 30s or 500ms");
  return std::min(longest, std::chrono::milliseconds{*x * unit});
}

} // namespace novacron
