#include "actors/backup/backup_schedule.hpp"

namespace novacron {

namespace {

constexpr std::chrono::seconds retry_after{60};

bool has_passed(std::chrono::seconds period, std::optional<std::chrono::sys_seconds> since,
                std::chrono::sys_seconds now) {
  return !since || *since > now || now - *since >= period;
}

} // namespace

bool backup_schedule::due(std::chrono::sys_seconds now, bool leads_others) const {
  if (failed_ && !has_passed(retry_after, failed_, now))
    return false;
  return has_passed(leads_others ? 2 * every_ : every_, newest_, now);
}

} // namespace novacron
