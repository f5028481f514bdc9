#pragma once

#include "feed_source.hpp"
#include "node_process.hpp"
#include "replica_node.hpp"

namespace novacron::sim {

/// A controller's machine and process. Its replica opens with what is on the disk.
class controller_process final : public node_process {
public:
  /// One that joins later knows the controllers `told`; a founder those that all know.
  controller_process(actor_world& all, replica_node& replica, std::vector<address> told = {});
  ~controller_process() override;

  node_clock clock;

  /// A new timeline, which begins at this index, was made of its disk.
  void recovered(uint64_t index) { changes_.restart_at(index); }
  /// What the view shows that the state doesn't, or the other way; empty: nothing.
  [[nodiscard]] std::string wrong_view(const cluster_state& state);

private:
  void furnish(node_parts& parts, node_config& config) override;
  [[nodiscard]] const std::vector<address>& listed() const override {
    return told_.empty() ? all_.controllers : told_;
  }
  void ended() override;

  replica_node& replica_;
  const std::vector<address> told_;
  feed_source changes_; ///< on the disk, like the state that it belongs to
  bool locked_ = false; ///< the database
};

} // namespace novacron::sim
