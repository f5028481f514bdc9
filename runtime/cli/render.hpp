#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace novacron {

// The API's answers as people read them.

/// Which table a list makes.
enum class listed_thing : uint8_t { vms, hosts, migrations };

/// A list's items.
std::string render_list(listed_thing what, const boost::json::array& items);
/// One VM, migration or operation, a line per field.
std::string render_one(const boost::json::value& document);
/// As `node ls` shows them.
std::string render_nodes(const boost::json::array& nodes);
/// One line: how far a node is from what is wished of it.
std::string render_node_progress(const boost::json::value& node, const std::string& changing);
/// How the cluster's replicas stand.
std::string render_cluster(const boost::json::value& cluster);
/// One event, on one line.
std::string render_event(const boost::json::value& event);
/// How a migration gets on, on one line.
std::string render_progress(const boost::json::value& migration);
/// A problem document: what, and on the last line what to do.
std::string render_problem(unsigned status, const boost::json::value& problem);

/// A member of an object as text; empty if it is absent or null.
std::string field_text(const boost::json::value& object, std::string_view key);
/// 0 if it is absent or no number.
double field_number(const boost::json::value& object, std::string_view key);
/// Null if it is absent.
const boost::json::value& field(const boost::json::value& object, std::string_view key);

} // namespace novacron
