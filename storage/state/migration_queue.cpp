#include "storage/state/migration_queue.hpp"

#include "messages/mixed_bits.hpp"

#include <algorithm>

namespace novacron {

namespace {

int rank_of(migration_priority priority) {
  switch (priority) {
  case migration_priority::high:
    return 0;
  case migration_priority::normal:
    return 1;
  case migration_priority::low:
    break;
  }
  return 2;
}

std::string site_of(const host_record& host) {
  auto at = host.labels.find("site");
  return at == host.labels.end() ? std::string{} : at->second;
}

} // namespace

std::chrono::seconds put_off_for(uint32_t attempt) {
  constexpr std::chrono::seconds first{5};
  constexpr std::chrono::seconds longest{60};
  constexpr uint32_t doublings = 4; // more than enough for the longest
  const auto doubled = std::min(attempt < 2 ? 0 : attempt - 2, doublings);
  return std::min(first * (1 << doubled), longest);
}

/// Either half is mixed by a bijection, so two ids never meet in one.
migration_id next_try(migration_id last) {
  return {{mixed_bits(last.value.high + golden_gamma), mixed_bits(last.value.low + golden_gamma)}};
}

queue_place place_of(const migration_record& migration) {
  return {rank_of(migration.terms.priority), migration.created, migration.id};
}

std::vector<needed_line> lines_between(const host_record& from, const host_record& to) {
  std::vector<needed_line> lines{{{from.id, {}}, from.migrations_at_once},
                                 {{to.id, {}}, to.migrations_at_once}};
  auto [site, other_site] = std::minmax({site_of(from), site_of(to)});
  if (site != other_site)
    lines.push_back({{{}, site, other_site},
                     std::min(from.migrations_between_sites, to.migrations_between_sites)});
  return lines;
}

bool is_under_way(const migration_record& migration) {
  return migration.phase == migration_phase::reserved
         || migration.phase == migration_phase::committed;
}

void migration_slots::take(const std::vector<needed_line>& lines) {
  for (const auto& each : lines)
    ++taken_[each.line];
}

bool migration_slots::free(const std::vector<needed_line>& lines) const {
  return std::ranges::all_of(lines, [this](const needed_line& each) {
    auto at = taken_.find(each.line);
    return at == taken_.end() || at->second < std::max(each.slots, uint32_t{1});
  });
}

} // namespace novacron
