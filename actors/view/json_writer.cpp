#include "actors/view/json_writer.hpp"

#include <charconv>
#include <cmath>
#include <utility>

namespace novacron {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd"; // U+FFFD

/// Length of the UTF-8 sequence at the start of `x`; 0 if it is none (RFC 3629,
/// section 4).
size_t sequence_length(std::string_view x) {
  auto at
      = [x](size_t i) -> unsigned { return i < x.size() ? static_cast<unsigned char>(x[i]) : 0U; };
  auto tail = [&](size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  auto first = at(0);
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first <= 0xDF)
    return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    bool overlong = first == 0xE0 && at(1) < 0xA0;
    bool surrogate = first == 0xED && at(1) > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    bool overlong = first == 0xF0 && at(1) < 0x90;
    bool beyond = first == 0xF4 && at(1) > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
  case '"':
    out += "\\\"";
    return;
  case '\\':
    out += "\\\\";
    return;
  case '\n':
    out += "\\n";
    return;
  case '\t':
    out += "\\t";
    return;
  case '\r':
    out += "\\r";
    return;
  default:
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
      return;
    }
    out += "\\u00";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 0xF];
  }
}

} // namespace

json_writer& json_writer::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

void json_writer::separate() {
  if (comma_)
    out_ += ',';
  comma_ = true;
}

void json_writer::quoted(std::string_view x) {
  out_ += '"';
  while (!x.empty()) {
    auto length = sequence_length(x);
    if (length == 1)
      append_escaped(out_, x.front());
    else
      out_ += length == 0 ? replacement : x.substr(0, length);
    x.remove_prefix(length == 0 ? 1 : length);
  }
  out_ += '"';
}

json_writer& json_writer::key(std::string_view name) {
  separate();
  quoted(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

json_writer& json_writer::text(std::string_view x) {
  separate();
  quoted(x);
  return *this;
}

json_writer& json_writer::number(uint64_t x) {
  separate();
  out_ += std::to_string(x);
  return *this;
}

json_writer& json_writer::fraction(double x) {
  separate();
  char digits[64];
  auto end = digits;
  if (std::isfinite(x) && std::abs(x) < 1e18)
    end = std::to_chars(digits, digits + sizeof digits, x, std::chars_format::fixed, 3).ptr;
  if (end == digits)
    *end++ = '0';
  out_.append(digits, end);
  return *this;
}

json_writer& json_writer::boolean(bool x) {
  return raw(x ? "true" : "false");
}

json_writer& json_writer::null() {
  return raw("null");
}

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

std::string json_writer::take() {
  comma_ = false;
  return std::exchange(out_, {});
}

} // namespace novacron
