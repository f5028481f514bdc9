#include "runtime/cli/table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace novacron {

namespace {

/// Characters of UTF-8 text: bytes that don't continue one.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

void append_row(std::string& out, const table_row& row, const std::vector<size_t>& widths) {
  std::string line;
  for (size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    line.append(widths[i] - width_of(row[i]) + 2, ' ');
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

} // namespace

std::string format_table(const table_row& header, const std::vector<table_row>& rows) {
  std::vector<size_t> widths;
  for (const auto& cell : header)
    widths.push_back(width_of(cell));
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  append_row(out, header, widths);
  for (const auto& row : rows)
    append_row(out, row, widths);
  return out;
}

std::string format_pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  size_t width = 0;
  for (const auto& [name, value] : pairs)
    width = std::max(width, width_of(name));
  std::string out;
  for (const auto& [name, value] : pairs)
    out += name + ':' + std::string(width - width_of(name) + 2, ' ') + value + '\n';
  return out;
}

std::string format_bytes(double bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  for (; bytes >= 1'024 && unit + 1 < units.size(); ++unit)
    bytes /= 1'024;
  char text[64];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
  return text;
}

} // namespace novacron
