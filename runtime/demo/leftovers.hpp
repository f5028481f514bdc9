#pragma once

#include "messages/ids.hpp"
#include "messages/result.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace novacron {

/// The ids of the nodes whose certificates lie in `folder`.
std::set<node_id> nodes_of_cluster(const std::filesystem::path& folder);

/// Ends what the demo of this folder started and what outlives its nodes by
/// design: fencers with their libvirtd and simulated machines (told by the --state
/// in their command line, <folder>/<node>/…), nodes of an earlier run, and guests
/// (told by the mark in their environment, of one of `hosts`). Says what it had to
/// end. Nothing else is touched.
std::vector<std::string> end_leftovers(const std::filesystem::path& folder,
                                       const std::set<node_id>& hosts);

/// Whether a demo made this folder; only then may what is left of it be ended.
bool is_demo_folder(const std::filesystem::path& folder);

/// Makes the demo's folder anew. Refuses a folder that holds something else.
result<void> make_demo_folder(const std::filesystem::path& folder);

} // namespace novacron
