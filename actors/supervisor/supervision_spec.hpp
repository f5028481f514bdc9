#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace novacron {

// Who is restarted, how often and in what order is data. The words are those of
// Erlang/OTP's supervisor (https://www.erlang.org/doc/design_principles/sup_princ).

/// Whether a child that ended is started again.
enum class restart_type : uint8_t {
  permanent, ///< always
  transient, ///< unless it ended by itself: without a reason, or with `user_shutdown`
  temporary, ///< never
};

/// Who is restarted with a child that died.
enum class restart_strategy : uint8_t {
  one_for_one,  ///< only itself
  one_for_all,  ///< all children
  rest_for_one, ///< itself and those that stand after it, who know its handle
};

/// How one child is started and ended.
struct child_spec {
  std::string name; ///< unique below its supervisor, without '/'
  restart_type restart = restart_type::permanent;
  /// From being asked to end until it is killed; 0: it is killed at once.
  std::chrono::milliseconds grace{2'000};
  bool supervisor = false; ///< the child is a `supervisor_actor`
  /// Spawns the child. Runs on the supervisor's thread, so it must not block;
  /// what blocks belongs in a detached child. Throwing, or an invalid handle,
  /// counts as a death.
  std::function<caf::actor(caf::local_actor& parent)> start;
};

/// A supervisor's children, and when it gives up.
struct supervisor_spec {
  std::string name;
  restart_strategy strategy = restart_strategy::one_for_one;
  unsigned intensity = 10; ///< more restarts than this within `period`: give up
  std::chrono::milliseconds period{10'000};
  std::chrono::milliseconds first_back_off{10}; ///< before the second restart in a row; doubles
  std::chrono::milliseconds longest_back_off{1'000};
  std::vector<child_spec> children; ///< started in this order, ended in reverse
};

} // namespace novacron
