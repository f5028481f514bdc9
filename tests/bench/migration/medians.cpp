#include "tests/bench/migration/medians.hpp"

#include "tests/bench/migration/matrix.hpp"

#include <algorithm>

namespace novacron::bench {

namespace {

/// In order.
std::vector<double> values_of(const cell_rows& cell, const std::string& field) {
  std::vector<double> out;
  for (const auto* row : cell.rows)
    if (row->at("converged").as_bool() == cell.converged())
      if (const auto* found = row->if_contains(field); found != nullptr && found->is_number())
        out.push_back(found->to_number<double>());
  std::ranges::sort(out);
  return out;
}

} // namespace

bool cell_rows::converged() const {
  const auto good
      = std::ranges::count_if(rows, [](const auto* row) { return row->at("converged").as_bool(); });
  return 2 * good > static_cast<std::ptrdiff_t>(rows.size());
}

std::optional<double> cell_rows::median(const std::string& field) const {
  const auto all = values_of(*this, field);
  return all.empty() ? std::nullopt : std::optional{all[all.size() / 2]};
}

std::optional<double> cell_rows::least(const std::string& field) const {
  const auto all = values_of(*this, field);
  return all.empty() ? std::nullopt : std::optional{all.front()};
}

std::optional<double> cell_rows::most(const std::string& field) const {
  const auto all = values_of(*this, field);
  return all.empty() ? std::nullopt : std::optional{all.back()};
}

std::vector<cell_rows> measured_cells(const boost::json::object& all, const std::string& table) {
  std::vector<cell_rows> out;
  for (const auto& link : links())
    for (const auto& load : workloads())
      for (const auto& way : methods()) {
        cell_rows cell{load.name, link.name, way.name, {}};
        const auto prefix = table + '/' + load.name + '/' + link.name + '/' + way.name + '/';
        for (const auto& [name, value] : all)
          if (std::string_view{name}.starts_with(prefix) && value.is_object()
              && value.as_object().contains("converged"))
            cell.rows.push_back(&value.as_object());
        if (!cell.rows.empty())
          out.push_back(std::move(cell));
      }
  return out;
}

} // namespace novacron::bench
