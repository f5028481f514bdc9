#include "displaced_guests.hpp"

#include <algorithm>

namespace novacron::chaos {

void displaced_guests::add(const guest_sighting& sight) {
  for (const auto& each : sight.elsewhere)
    if (guests_.contains(each))
      elsewhere_.try_emplace(each, sight.at);
  if (!sight.seen)
    return;
  left_ = sight.there;
  if (!left_.empty())
    ended_.reset();
  else if (!ended_)
    ended_ = sight.at;
}

std::optional<displaced_guests::time_point>
displaced_guests::run_elsewhere(const due_rule& due) const {
  std::optional<time_point> last;
  for (const auto& each : guests_) {
    if (!due(each))
      continue;
    const auto found = elsewhere_.find(each);
    if (found == elsewhere_.end())
      return {};
    last = std::max(last.value_or(found->second), found->second);
  }
  return last;
}

std::vector<std::string> displaced_guests::missing(const due_rule& due) const {
  std::vector<std::string> found;
  for (const auto& each : guests_)
    if (due(each) && !elsewhere_.contains(each))
      found.push_back(each);
  return found;
}

} // namespace novacron::chaos
