#include "hypervisor/console/tick_series.hpp"

#include <algorithm>
#include <charconv>

namespace novacron {

namespace {

constexpr size_t remembered_ticks = 20'000;

std::string_view next_word(std::string_view& text) {
  auto begin = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begin);
  auto end = std::min(text.find(' '), text.size());
  auto word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool read_number(std::string_view text, uint64_t& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

} // namespace

std::optional<guest_tick> parse_tick(std::string_view line) {
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n'))
    line.remove_suffix(1);
  guest_tick x;
  if (next_word(line) != "TICK" || !read_number(next_word(line), x.number))
    return std::nullopt;
  next_word(line); // uptime
  auto verdict = next_word(line);
  x.checksum = next_word(line);
  if ((verdict != "mem=ok" && verdict != "mem=BAD") || x.checksum.empty())
    return std::nullopt;
  x.memory_ok = verdict == "mem=ok";
  if (auto sweep = next_word(line); sweep.starts_with("sweep="))
    if (!read_number(sweep.substr(6), x.sweep))
      return std::nullopt;
  return x;
}

void tick_series::add_line(std::string_view line, time_point at) {
  auto tick = parse_tick(line);
  if (!tick) {
    summary_.malformed += line.find("TICK") != std::string_view::npos;
    return;
  }
  auto& s = summary_;
  bool start = tick->number == 1;
  bool continues = s.ticks > 0 && !start;
  s.starts += start;
  if (continues) {
    if (tick->number <= s.latest)
      ++s.repeated;
    else
      s.missing += tick->number - s.latest - 1;
    s.largest_gap = std::max(s.largest_gap, std::chrono::nanoseconds{at - stamps_.back().at});
  }
  if (s.ticks++ == 0)
    s.first = tick->number;
  s.latest = tick->number;
  s.sweep = tick->sweep;
  s.memory_ok = s.memory_ok && tick->memory_ok;
  stamps_.push_back({at, continues});
  if (stamps_.size() > remembered_ticks)
    stamps_.pop_front();
}

std::chrono::nanoseconds tick_series::largest_gap(time_point from, time_point to) const {
  std::chrono::nanoseconds largest{0};
  for (size_t i = 1; i < stamps_.size(); ++i)
    if (stamps_[i].continues && stamps_[i].at >= from && stamps_[i - 1].at <= to)
      largest = std::max(largest, std::chrono::nanoseconds{stamps_[i].at - stamps_[i - 1].at});
  if (!stamps_.empty() && to > stamps_.back().at)
    largest = std::max(largest, std::chrono::nanoseconds{to - stamps_.back().at});
  return largest;
}

std::optional<tick_series::time_point> tick_series::latest_at() const {
  if (stamps_.empty())
    return std::nullopt;
  return stamps_.back().at;
}

} // namespace novacron
