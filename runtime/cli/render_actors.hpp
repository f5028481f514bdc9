#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace novacron {

/// The answer of GET /api/v1/cluster/actors as trees, one below the other. Those
/// that the answer counts without naming them are a line of their supervisor's.
/// `under` is what was asked for, "node-2/guests"; empty: everything.
std::string render_actors(const boost::json::value& answer, const std::string& under);

} // namespace novacron
