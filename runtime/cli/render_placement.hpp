#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace novacron {

// What the scheduler and its tasks say, as people read it.

/// Where a VM would go, and for each host why it may have it or may not.
std::string render_plan(const boost::json::value& plan);
/// A drain, an evacuation or a rebalance, with a line per VM.
std::string render_task(const boost::json::value& task);
std::string render_tasks(const boost::json::array& tasks);
/// How far a task is, on one line.
std::string render_task_progress(const boost::json::value& task);
/// What a rebalance would do.
std::string render_rebalance(const boost::json::value& plan);

} // namespace novacron
