#include "gateway_node.hpp"

#include "view_check.hpp"

namespace novacron::sim {

namespace {

constexpr uint64_t tick_ms = 20;
constexpr uint64_t probe_ms = 500;
constexpr std::chrono::seconds view_time{1};

} // namespace

gateway_node::parts::parts(fleet& with, uint64_t number, controller_line::gate deliver)
    : follower{{},
               false,
               {[this](const any_record& x) {
                  follower.listing() ? view.listed(x) : view.changed(x);
                },
                [this](const any_record& x) { view.removed(x); },
                [this](const auto& named) { view.keep_only(named); },
                {}},
               phase_of(fleet::node_of(number))},
      line{with, number, std::move(deliver)} {
  // nop
}

gateway_node::gateway_node(fleet& with, uint64_t number)
    : with_{with}, number_{number}, clock_{with.all.time} {
  // nop
}

// -- its life ------------------------------------------------------------------------

void gateway_node::start() {
  if (parts_)
    return;
  ++life_;
  parts_ = std::make_unique<parts>(with_, number_,
                                   [this, life = life_](const std::function<void()>& call) {
                                     if (parts_ && life == life_)
                                       call();
                                   });
  tick();
  probe();
}

void gateway_node::crash() {
  if (!parts_)
    return;
  with_.all.check.trace(51 + number_ * 31 + with_.all.time.now());
  if (parts_->calls > 0)
    with_.all.seen.hit(probe::gateway_died);
  ++life_;
  parts_.reset();
}

void gateway_node::later(uint64_t delay_ms, std::function<void()> call) {
  with_.all.time.after(delay_ms, [this, life = life_, what = std::move(call)] {
    if (parts_ && life == life_)
      what();
  });
}

void gateway_node::tick() {
  follow();
  parts_->view.expire(clock_.steady());
  later(tick_ms, [this] { tick(); });
}

void gateway_node::probe() {
  parts_->line.probe();
  later(probe_ms, [this] { probe(); });
}

// -- its view ------------------------------------------------------------------------

void gateway_node::follow() {
  auto question = parts_->follower.next(clock_.steady());
  if (!question)
    return;
  auto answered = [this](auto took, const auto& answer) {
    if (answer) {
      (parts_->follower.*took)(*answer, clock_.steady());
      learned();
    } else {
      parts_->follower.failed(clock_.steady());
    }
    follow();
  };
  if (auto which = std::get_if<list_request>(&*question))
    parts_->line.list(*which,
                      [answered](const auto& page) { answered(&feed_follower::listed, page); });
  else
    parts_->line.pull(std::get<pull_request>(*question), [answered](const auto& changes) {
      answered(&feed_follower::changed, changes);
    });
}

void gateway_node::learned() {
  if (!parts_->follower.listing())
    parts_->view.advance(parts_->follower.revision());
  const auto present = parts_->view.revision();
  if (present < parts_->reached)
    throw with_.all.check.broken("the view of gateway " + std::to_string(number_) + " goes back to "
                                 + std::to_string(present) + " from "
                                 + std::to_string(parts_->reached));
  parts_->reached = present;
}

std::string gateway_node::wrong_view(const cluster_state& state) const {
  const auto wrong = parts_ ? wrong_in_view(parts_->view, state) : "is down";
  return wrong.empty() ? wrong : "gateway " + std::to_string(number_) + " " + wrong;
}

// -- what callers ask ----------------------------------------------------------------

template <class Then>
Then gateway_node::opened(Then then) {
  ++parts_->calls;
  return [this, then = std::move(then)](const auto& answer) {
    --parts_->calls;
    then(answer);
  };
}

void gateway_node::propose(const proposal& what, uint64_t patience_ms,
                           api_line::proposal_then then) {
  parts_->line.propose(what, patience_ms, opened(std::move(then)));
}

void gateway_node::list(const list_request& what, api_line::listing_then then) {
  parts_->line.list(what, opened(std::move(then)));
}

void gateway_node::look(vm_id vm, uint64_t min_revision, api_line::look_then then) {
  auto& view = parts_->view;
  if (!view.complete()) {
    then(std::nullopt);
    return;
  }
  const bool waits = view.revision() < min_revision;
  view.when_revision(min_revision, clock_.steady() + view_time,
                     [this, vm, waits, then = opened(std::move(then))](wait_end how) {
                       const bool reached = how == wait_end::reached;
                       if (waits)
                         with_.all.seen.hit(reached ? probe::view_waited : probe::view_behind);
                       if (!reached) {
                         then(std::nullopt);
                         return;
                       }
                       const auto shown = parts_->view.vm(vm);
                       then(vm_view{parts_->view.revision(), shown ? shown->revision : 0});
                     });
}

} // namespace novacron::sim
