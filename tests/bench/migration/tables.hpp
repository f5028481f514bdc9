#pragma once

#include <boost/json/object.hpp>
#include <string>

namespace novacron::bench {

/// The report as tables in Markdown: a row for each workload, link and method,
/// with the median of its repeats.
std::string migration_tables(const boost::json::object& all);

/// Bars of seconds by workload and method on this link, as SVG; empty when
/// nothing was measured there.
std::string migration_plot(const boost::json::object& all, const std::string& link);

} // namespace novacron::bench
