#include "run_counter.hpp"

#include <algorithm>
#include <set>

namespace novacron::chaos {

std::vector<std::string> run_counter::add(const std::vector<running_guest>& first,
                                          const std::vector<running_guest>& second) {
  const std::set<running_guest> before{first.begin(), first.end()};
  std::map<std::string, std::set<running_guest>> ran;
  for (const auto& each : second)
    if (before.contains(each))
      ran[each.vm].insert(each);
  std::vector<std::string> twice;
  for (const auto& [vm, runs] : ran)
    for (auto left = runs.begin(); left != runs.end(); ++left)
      for (auto right = std::next(left); right != runs.end(); ++right)
        if (known_.try_emplace({*left, *right}, true).second) {
          ++duplicates_;
          twice.push_back("vm " + vm + " ran on " + left->host + " (" + std::to_string(left->run)
                          + ") and on " + right->host + " (" + std::to_string(right->run)
                          + ") at the same time");
        }
  return twice;
}

} // namespace novacron::chaos
