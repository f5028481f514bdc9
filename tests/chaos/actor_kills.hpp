#pragma once

#include "injection.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace novacron::chaos {

/// Of an actor's path behind its node's name: "guests/vm" of "guests/vm-<id>"; others are their
/// own kind.
std::string kind_of_actor(std::string_view path);

/// Kinds whose actors come and go with what they are there for.
inline constexpr std::string_view of_a_vm = "guests/vm";
inline constexpr std::string_view of_a_migration = "guests/migration";

/// An actor that was killed.
struct killed_actor {
  std::string node; ///< name
  std::string path; ///< below it, as in "guests/vm-<id>"
  std::string kind;
  std::chrono::steady_clock::time_point sent; ///< when its kill was asked for
  std::chrono::milliseconds answered{0};      ///< after that
};

/// A gateway to ask about a node: another one than that, by chance.
int gateway_beside(const std::string& node, std::mt19937_64& random);

/// Kills one actor of the kind whose turn it is, over the chaos API, somewhere by chance. None:
/// none was to be had in some two seconds.
std::optional<killed_actor> kill_one_actor(size_t turn, const fault_scene& scene);

/// The kinds that turns come to, and those that the nodes show of their trees now; waits until
/// all nodes do. Fails when they don't.
result<std::set<std::string>> kinds_of_actors(const lab& where);

} // namespace novacron::chaos
