#pragma once

#include "fault_plan.hpp"
#include "host_watch.hpp"
#include "lab.hpp"
#include "observer.hpp"
#include "users.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace novacron::chaos {

/// All that a fault may need to come about.
struct fault_scene {
  lab& where;
  const observer& eyes;
  const users& people;
  ledger& book;
  std::mt19937_64& random;
};

/// A fault that has come about, and how to end it.
struct injection {
  std::string what;           ///< in words, as in "node-2"
  std::string impossible;     ///< why it could not be had; empty: it was
  std::function<void()> tick; ///< is called every 50 ms while it lasts; may be empty
  std::function<void()> end;  ///< may be empty
  /// Looks where the host's `ha` guests run from its beginning on; null unless it displaces them.
  std::shared_ptr<host_watch> watch;
  /// Whether what was killed is there again; is waited for. May be empty.
  std::function<bool()> back;
  /// After its end: what of it must not have been, if no other fault was there. May be empty.
  std::function<std::vector<std::string>()> wrong;
  /// After its end: how long a controller that was cut off took writes. May be empty.
  std::function<std::optional<std::chrono::milliseconds>()> stopped;
  std::function<std::string()> note; ///< after its end: what was seen of it; may be empty
};

/// Brings it about, all but `kill_actors`.
injection inject(const fault& what, const fault_scene& scene);

} // namespace novacron::chaos
