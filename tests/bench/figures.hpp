#pragma once

#include <boost/json/object.hpp>
#include <initializer_list>
#include <string>

namespace novacron::bench {

// How figures of a report are shown in its tables. What is missing is a dash.

/// The value at this path of members; null when there is none.
const boost::json::value& at(const boost::json::object& all,
                             std::initializer_list<std::string> path);
std::string number(const boost::json::value& x, int digits = 2);
std::string mebibytes(const boost::json::value& x);
std::string ratio(const boost::json::value& ours, const boost::json::value& theirs);

} // namespace novacron::bench
