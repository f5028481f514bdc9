#include "gateway_line.hpp"

#include "ask.hpp"

namespace novacron::sim {

namespace {

constexpr uint64_t read_patience_ms = 4'000; ///< longer than a gateway's with a controller

} // namespace

template <class Answer, class Question>
void gateway_line::ask(uint64_t patience_ms, Question question,
                       std::function<void(const std::optional<Answer>&)> then) {
  const auto which = present_;
  auto* target = gateways_[which].get();
  sim::ask<std::optional<Answer>>(
      with_.all.net, with_.all.time, self_, target->number(), patience_ms,
      [target, question](auto reply) {
        if (target->up())
          question(*target, reply);
        else
          reply(std::nullopt);
      },
      [this, which, then](const std::optional<std::optional<Answer>>& answer) {
        const auto& got = answer ? *answer : std::nullopt;
        if (!got && which == present_)
          present_ = (present_ + 1) % gateways_.size();
        then(got);
      });
}

void gateway_line::propose(const proposal& what, uint64_t patience_ms, proposal_then then) {
  ask<outcomes>(
      patience_ms,
      [what, patience_ms](gateway_node& asked, const auto& reply) {
        asked.propose(what, patience_ms, reply);
      },
      std::move(then));
}

void gateway_line::list(const list_request& what, listing_then then) {
  ask<feed_listing>(
      read_patience_ms, [what](gateway_node& asked, const auto& reply) { asked.list(what, reply); },
      std::move(then));
}

bool gateway_line::look(vm_id vm, uint64_t min_revision, look_then then) {
  ask<vm_view>(
      read_patience_ms,
      [vm, min_revision](gateway_node& asked, const auto& reply) {
        asked.look(vm, min_revision, reply);
      },
      std::move(then));
  return true;
}

} // namespace novacron::sim
