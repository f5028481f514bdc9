#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace novacron::bench {

/// All repeats of one cell of a report, in the order of the matrix.
struct cell_rows {
  std::string workload;
  std::string link;
  std::string method;
  std::vector<const boost::json::object*> rows;

  /// Most of the repeats did. Figures are of these; when none did, of all.
  [[nodiscard]] bool converged() const;

  /// Nothing when no row has the field.
  [[nodiscard]] std::optional<double> median(const std::string& field) const;
  [[nodiscard]] std::optional<double> least(const std::string& field) const;
  [[nodiscard]] std::optional<double> most(const std::string& field) const;
};

/// Cells of a table, "pipeline" or "product", that were measured, by link,
/// workload and method.
std::vector<cell_rows> measured_cells(const boost::json::object& all, const std::string& table);

} // namespace novacron::bench
