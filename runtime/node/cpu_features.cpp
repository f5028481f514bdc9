#include "runtime/node/cpu_features.hpp"

#include <algorithm>
#include <sstream>

namespace novacron {

std::vector<std::string> cpu_features_of(const std::string& cpuinfo) {
  std::vector<std::string> features;
  std::istringstream lines{cpuinfo};
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    const bool wanted = line.starts_with("flags") || line.starts_with("vendor_id")
                        || line.starts_with("Features"); // ARM's word for flags
    const auto colon = line.find(':');
    if (!wanted || colon == line.npos)
      continue;
    std::istringstream words{line.substr(colon + 1)};
    for (std::string word; words >> word;)
      features.push_back(word);
  }
  std::ranges::sort(features);
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return features;
}

} // namespace novacron
