#pragma once

#include "actors/peer/controller_choice.hpp"
#include "actors/peer/link.hpp"

#include <caf/typed_response_promise.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace novacron {

struct any_controller_state {
  any_controller_state() = default;
  ~any_controller_state(); ///< tells those whose questions are open

  /// A question on its way to one controller.
  struct open_question {
    size_t which = 0;
    std::function<void()> ask_another; ///< too, if that is harmless
    std::function<void(const caf::error&)> fail;
  };
  /// Readers of this node who ask the same of the feed: it is asked once.
  struct shared_pull {
    pull_request question;
    std::vector<caf::typed_response_promise<feed_changes>> readers;
  };

  std::optional<controller_choice> choice;
  link_config pattern;
  std::vector<address> addresses; ///< of `links`
  std::vector<link_actor> links;
  std::shared_ptr<standing_links> standing = std::make_shared<standing_links>(); ///< of `links`
  std::map<uint64_t, open_question> open;
  uint64_t last_question = 0;
  std::vector<shared_pull> pulls;
  bool probing = false;
  static constexpr const char* name = "controller";
};

/// The way to the log for a node without a replica: links to all `controllers`,
/// and to those that the roster knows, of which one is used, rather a follower than
/// the leader (`controller_choice`). Its readers share one pull of the feed as far
/// as they want the same. Reads that fail are repeated with the others at once, and
/// so are proposals that have certainly done nothing, or whose commands all have
/// keys. When the present one falls silent, they are asked of another beside it.
/// However it ends, its links end with it; and it ends with any of them.
controller_actor::behavior_type
any_controller(controller_actor::stateful_pointer<any_controller_state> self, link_config pattern,
               const std::vector<address>& controllers);

} // namespace novacron
