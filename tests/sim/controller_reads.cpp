// Linearizable listings: how far the state must be, and waiting for it.

#include "ask.hpp"
#include "controller.hpp"

namespace novacron::sim {

namespace {

constexpr uint64_t leader_patience_ms = 2'000;
constexpr std::chrono::seconds catch_up{2};

} // namespace

void controller::list(const list_request& what,
                      std::function<void(std::optional<feed_listing>)> answer) {
  auto page = [this, what] {
    return feed_source::list(replica_.machine().state, replica_.machine().index, what);
  };
  if (!what.linearizable) {
    later(0, [answer, page] { answer(page()); });
    return;
  }
  auto when_as_far = [this, what, answer](std::optional<uint64_t> revision) {
    if (revision)
      parts_->late_reads.push_back({*revision, clock.steady() + catch_up, what, answer});
    else
      answer(std::nullopt);
  };
  if (replica_.leads()) {
    read_index(when_as_far);
    return;
  }
  auto other = with_.controllers.find(fleet::number_of(parts_->leader.leads));
  if (other == with_.controllers.end()) {
    later(0, [answer] { answer(std::nullopt); });
    return;
  }
  sim::ask<std::optional<uint64_t>>(
      with_.all.net, with_.all.time, number(), other->first, leader_patience_ms,
      [target = other->second](auto reply) {
        if (target->up())
          target->read_index(reply);
        else
          reply(std::nullopt);
      },
      [this, life = life_, when_as_far](const std::optional<std::optional<uint64_t>>& revision) {
        if (parts_ && life == life_)
          when_as_far(revision.value_or(std::nullopt));
      });
}

void controller::read_index(std::function<void(std::optional<uint64_t>)> answer) {
  if (!replica_.leads()) {
    answer(std::nullopt);
    return;
  }
  replica_.barrier([this, answer, life = life_](const result<uint64_t>& passed) {
    if (!parts_ || life != life_)
      return;
    later(0, [answer, at = passed ? std::optional{*passed} : std::nullopt] { answer(at); });
  });
}

void controller::serve_late_reads() {
  auto waiting = std::exchange(parts_->late_reads, {});
  for (auto& each : waiting)
    if (replica_.machine().index >= each.revision)
      each.answer(
          feed_source::list(replica_.machine().state, replica_.machine().index, each.request));
    else if (clock.steady() >= each.until)
      each.answer(std::nullopt);
    else
      parts_->late_reads.push_back(std::move(each));
}

} // namespace novacron::sim
