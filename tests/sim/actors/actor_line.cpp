#include "actor_line.hpp"

#include "actors/completion.hpp"

#include <caf/all.hpp>
#include <memory>

namespace novacron::sim {

namespace {

constexpr uint64_t read_patience_ms = 3'000;
constexpr uint64_t refused_ms = 5; ///< until one who calls at a dead process hears so

/// What `slot` holds is asked, by an actor of its own.
template <class Answer, class Slot, class Question>
void ask(actor_world& all, node_process& where, Slot slot, const Question& what,
         uint64_t patience_ms, std::function<void(const std::optional<Answer>&)> then) {
  auto target
      = where.up() && !where.frozen() ? slot(*where.parts()) : decltype(slot(*where.parts())){};
  if (!target) {
    all.with.all.time.after(refused_ms, [then] { then(std::nullopt); });
    return;
  }
  completion<Answer> box{[&all, then = std::move(then)](const std::optional<Answer>& answer) {
    all.soon([then, kept = std::make_shared<std::optional<Answer>>(answer)] { then(*kept); });
  }};
  where.running()->system().spawn([=](caf::event_based_actor* self) {
    self->request(target, std::chrono::milliseconds{patience_ms}, what)
        .then([box](const Answer& answer) { box.complete(answer); },
              [box](const caf::error&) { /* dropped, it says that nobody knows */ });
  });
}

} // namespace

void propose_at(actor_world& all, node_process& where, const proposal& what, uint64_t patience_ms,
                api_line::proposal_then then) {
  ask<outcomes>(
      all, where, [](node_parts& parts) { return parts.frontend.get(); }, what, patience_ms,
      std::move(then));
}

void status_at(actor_world& all, node_process& where, uint64_t patience_ms,
               std::function<void(const std::optional<group_status>&)> then) {
  ask<group_status>(
      all, where, [](node_parts& parts) { return parts.frontend.get(); }, group_status_request{},
      patience_ms, std::move(then));
}

void actor_line::propose(const proposal& what, uint64_t patience_ms, proposal_then then) {
  propose_at(all_, *doors_[all_.with.all.luck.below(doors_.size())], what, patience_ms,
             std::move(then));
}

void actor_line::list(const list_request& what, listing_then then) {
  ask<feed_listing>(
      all_, *doors_[all_.with.all.luck.below(doors_.size())],
      [](node_parts& parts) { return parts.feed.get(); }, what, read_patience_ms, std::move(then));
}

} // namespace novacron::sim
