#pragma once

#include "injection.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace novacron::chaos {

/// Of an actor's path behind its node's name: "guests/vm" of "guests/vm-<id>"; others are their
/// own kind.
std::string kind_of_actor(std::string_view path);

/// Kills one actor of the kind whose turn it is, over the chaos API, somewhere by chance. Its
/// kind; none: none was to be had in some two seconds.
std::optional<std::string> kill_one_actor(size_t turn, const fault_scene& scene);

/// The kinds that turns come to, and those that the nodes show of their trees now; waits until
/// all nodes do. Fails when they don't.
result<std::set<std::string>> kinds_of_actors(const lab& where);

} // namespace novacron::chaos
