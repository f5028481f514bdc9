#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

namespace novacron::bench {

/// All repeats of one cell of a report, in the order of the matrix.
struct cell_rows {
  std::string workload;
  std::string link;
  std::string method;
  std::vector<const boost::json::object*> rows;

  /// Of the repeats that converged.
  [[nodiscard]] double median(const std::string& field) const;
  [[nodiscard]] double least(const std::string& field) const;
  [[nodiscard]] double most(const std::string& field) const;
  [[nodiscard]] bool converged() const; ///< most of them did
};

/// Cells of a table, "pipeline" or "product", that were measured, by link,
/// workload and method.
std::vector<cell_rows> measured_cells(const boost::json::object& all, const std::string& table);

} // namespace novacron::bench
