#pragma once

#include "actors/feed/feed_follower.hpp"
#include "actors/view/view_table.hpp"
#include "api_line.hpp"
#include "controller_line.hpp"
#include "fleet.hpp"
#include "node.hpp"

#include <memory>
#include <optional>
#include <string>

namespace novacron::sim {

/// A process without a replica that serves the API: the real view, filled by the real
/// follower of the feed, answers reads, and what is to be written goes on to a controller.
class gateway_node final : public node {
public:
  gateway_node(fleet& with, uint64_t number);

  [[nodiscard]] uint64_t number() const override { return number_; }
  [[nodiscard]] bool up() const override { return parts_ != nullptr; }
  void start() override;
  void crash() override;

  // What callers ask, once their question has arrived; only while it is up.
  void propose(const proposal& what, uint64_t patience_ms, api_line::proposal_then then);
  void list(const list_request& what, api_line::listing_then then);
  /// Waits up to a second for its view to be as far.
  void look(vm_id vm, uint64_t min_revision, api_line::look_then then);

  /// What its view shows otherwise than the state; empty: nothing.
  [[nodiscard]] std::string wrong_view(const cluster_state& state) const;

private:
  /// What dies with the process.
  struct parts {
    parts(fleet& with, uint64_t number, controller_line::gate deliver);

    view_table view;
    feed_follower follower;
    controller_line line;
    uint64_t reached = 0; ///< the view's revision, when it was looked at last
    size_t calls = 0;     ///< that are open
  };

  /// The call is open until it is answered.
  template <class Then>
  Then opened(Then then);
  void later(uint64_t delay_ms, std::function<void()> call);
  void tick();
  void probe();
  void follow();
  void learned();

  fleet& with_;
  const uint64_t number_;
  node_clock clock_;
  uint64_t life_ = 0;
  std::unique_ptr<parts> parts_;
};

} // namespace novacron::sim
