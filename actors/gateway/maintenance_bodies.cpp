#include "actors/gateway/maintenance_bodies.hpp"

#include "actors/gateway/field_reader.hpp"
#include "messages/names.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t most_parallel = 16;
constexpr uint64_t most_moves = 64;
constexpr std::chrono::milliseconds longest_deadline = 7 * 24h;

/// As in "90s", "10m" or "2h".
std::optional<std::chrono::milliseconds> duration_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, int64_t>, 4> units{
      {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
  int64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number <= 0)
    return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  for (const auto& [unit, milliseconds] : units)
    if (text == unit && number <= longest_deadline.count() / milliseconds)
      return std::chrono::milliseconds{number * milliseconds};
  return std::nullopt;
}

} // namespace

parsed<drain_body> parse_drain(std::string_view body) {
  drain_body result;
  if (blank(body))
    return result;
  field_reader fields{body, {"deadline", "then", "parallel"}};
  if (fields.has("deadline")) {
    auto deadline = duration_of(fields.text("deadline", false));
    fields.check(deadline.has_value(), "/deadline",
                 "must be a time such as 90s, 10m or 2h, at most a week");
    result.deadline = deadline.value_or(0ms);
  }
  if (fields.has("then")) {
    auto policy = parse<deadline_policy>(fields.text("then", false));
    fields.check(policy.has_value(), "/then", "must be one of leave, stop");
    fields.check(result.deadline.count() > 0, "/then", "needs a deadline beside it");
    result.then = policy.value_or(deadline_policy::leave);
  }
  result.parallel = static_cast<uint32_t>(fields.number_or("parallel", 1, most_parallel, 2));
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

parsed<rebalance_body> parse_rebalance(std::string_view body) {
  rebalance_body result;
  if (blank(body))
    return result;
  field_reader fields{body, {"plan", "moves", "spread_percent", "parallel"}};
  result.plan = fields.boolean("plan");
  result.moves = fields.number_or("moves", 1, most_moves, result.moves);
  result.spread_percent
      = static_cast<uint32_t>(fields.number_or("spread_percent", 1, 100, result.spread_percent));
  result.parallel = static_cast<uint32_t>(fields.number_or("parallel", 1, most_parallel, 2));
  if (fields.first_problem())
    return *fields.first_problem();
  return result;
}

} // namespace novacron
