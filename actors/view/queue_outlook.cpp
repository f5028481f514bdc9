#include "actors/view/queue_outlook.hpp"

#include <algorithm>
#include <numeric>
#include <set>

namespace novacron {

namespace {

/// Of one line: how many wait in it before whoever comes next, and when slots become free.
struct line_outlook {
  size_t waiting = 0;
  std::multiset<log_time> ends; ///< of those that have a slot, or are expected to
};

} // namespace

void recent_durations::add(std::chrono::milliseconds duration) {
  constexpr size_t kept = 64;
  latest_.push_back(duration);
  if (latest_.size() > kept)
    latest_.pop_front();
}

std::chrono::milliseconds recent_durations::mean() const {
  if (latest_.empty())
    return {};
  const auto sum = std::accumulate(latest_.begin(), latest_.end(), std::chrono::milliseconds{});
  return sum / static_cast<int64_t>(latest_.size());
}

std::map<migration_id, queue_prospect>
prospects(const std::vector<const migration_record*>& waiting,
          const std::vector<const migration_record*>& under_way, std::chrono::milliseconds mean,
          const std::function<const host_record*(node_id)>& host) {
  auto lines_of = [&](const migration_record& x) {
    const auto* from = host(x.from);
    const auto* to = host(x.to);
    return from && to ? lines_between(*from, *to) : std::vector<needed_line>{};
  };
  std::map<migration_line, line_outlook> outlook;
  for (const auto* each : under_way)
    for (const auto& need : lines_of(*each))
      outlook[need.line].ends.insert(each->begun + mean);
  std::map<migration_id, queue_prospect> out;
  for (const auto* each : waiting) {
    auto& mine = out[each->id];
    auto start = std::max(each->created, each->not_before);
    const auto lines = lines_of(*each);
    for (const auto& need : lines) {
      auto& line = outlook[need.line];
      mine.position = std::max(mine.position, ++line.waiting);
      if (line.ends.size() >= need.slots && !line.ends.empty()) {
        start = std::max(start, *line.ends.begin());
        line.ends.erase(line.ends.begin());
      }
    }
    for (const auto& need : lines)
      outlook[need.line].ends.insert(start + mean);
    mine.expected_start = mean.count() > 0 ? start : log_time{};
  }
  return out;
}

} // namespace novacron
