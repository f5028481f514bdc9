#include "runtime/config/nearest_name.hpp"

#include <algorithm>
#include <numeric>

namespace novacron {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const auto changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string hint_for(std::string_view name, const std::vector<std::string>& known) {
  const std::string* nearest = nullptr;
  auto distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const auto& candidate : known)
    if (const auto d = edit_distance(name, candidate); d < distance) {
      distance = d;
      nearest = &candidate;
    }
  if (nearest)
    return "did you mean \"" + *nearest + "\"?";
  std::string all;
  for (const auto& candidate : known)
    all += (all.empty() ? "" : ", ") + candidate;
  return "known here: " + all;
}

} // namespace novacron
