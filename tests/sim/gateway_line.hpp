#pragma once

#include "gateway_node.hpp"

#include <vector>

namespace novacron::sim {

/// A caller's way through a gateway: always the same, until it doesn't answer.
class gateway_line final : public api_line {
public:
  gateway_line(fleet& with, uint64_t self,
               const std::vector<std::unique_ptr<gateway_node>>& gateways)
      : with_{with}, self_{self}, gateways_{gateways}, present_{self % gateways.size()} {
    // nop
  }

  void propose(const proposal& what, uint64_t patience_ms, proposal_then then) override;
  void list(const list_request& what, listing_then then) override;
  bool look(vm_id vm, uint64_t min_revision, look_then then) override;

private:
  /// `question` is put to the gateway, if it is up; `then` hears its answer, or nothing.
  template <class Answer, class Question>
  void ask(uint64_t patience_ms, Question question,
           std::function<void(const std::optional<Answer>&)> then);

  fleet& with_;
  const uint64_t self_;
  const std::vector<std::unique_ptr<gateway_node>>& gateways_;
  size_t present_;
};

} // namespace novacron::sim
