#pragma once

#include "actors/peer/controller_choice.hpp"
#include "api_line.hpp"
#include "controller.hpp"
#include "fleet.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace novacron::sim {

/// How a process without a replica reaches the controllers: one of them, and
/// another when it fails. What may have been done is never repeated here.
class controller_line final : public api_line {
public:
  /// Runs a call in the process, if it still lives; not while it is frozen.
  using gate = std::function<void(std::function<void()>)>;

  controller_line(fleet& with, uint64_t self, gate deliver);

  void propose(const proposal& what, uint64_t patience_ms, proposal_then then) override;
  void list(const list_request& what, listing_then then) override;
  void pull(const pull_request& what, std::function<void(const std::optional<feed_changes>&)> then);
  /// To be called now and then: leaves a controller that knows no leader, or is it.
  void probe();

private:
  void propose(const proposal& what, uint64_t until_ms, size_t left, proposal_then then);
  template <class Answer, class Question>
  void read(Question question, std::function<void(const std::optional<Answer>&)> then);
  /// `leader`: by number; 0: it knows none.
  void probed(size_t which, uint64_t leader);
  /// Others may have come since.
  void learn_controllers();
  [[nodiscard]] controller_choice::time_point now() const;

  fleet& with_;
  const uint64_t self_;
  gate deliver_;
  std::vector<controller*> controllers_;
  controller_choice choice_;
  bool probing_ = false;
};

} // namespace novacron::sim
