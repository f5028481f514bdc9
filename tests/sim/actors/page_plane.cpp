#include "page_plane.hpp"

#include "dwcp/errors.hpp"

#include <utility>
#include <vector>

namespace novacron::sim {

namespace {

session_statistics good_end() {
  session_statistics how;
  how.guest_bytes = how.wire_bytes = 1;
  how.rounds = 1;
  how.chain_ok = true;
  return how;
}

} // namespace

/// What an actor holds of a session. Let go of, it is closed.
class open_half final : public page_sender, public page_receiver {
public:
  explicit open_half(std::shared_ptr<page_plane::half> which) : half_{std::move(which)} {
    // nop
  }
  ~open_half() override { half_->plane.close(half_); }

  [[nodiscard]] session_statistics statistics() const override { return {}; }
  void cancel(std::string reason) override { half_->plane.cancel(half_, reason); }

private:
  std::shared_ptr<page_plane::half> half_;
};

std::shared_ptr<page_plane::half> page_plane::open(any_host& at, const session_ticket& ticket,
                                                   session_end end) {
  return std::make_shared<half>(half{*this, at, at.life(), ticket, std::move(end), {}, {}});
}

std::unique_ptr<page_sender> page_plane::send(any_host& from, const session_ticket& ticket,
                                              session_end end) {
  auto made = open(from, ticket, std::move(end));
  opened_[from.number()] = made;
  return std::make_unique<open_half>(made);
}

std::unique_ptr<page_receiver> page_plane::expect(any_host& to, const session_ticket& ticket,
                                                  session_end end) {
  auto made = open(to, ticket, std::move(end));
  expected_[ticket.migration] = made;
  return std::make_unique<open_half>(made);
}

/// Tells an end, once, on no thread that asks.
void page_plane::finish(const std::shared_ptr<half>& which, result<session_statistics> how) {
  if (!which->end)
    return;
  with_.all.time.after(1, [which, told = std::exchange(which->end, {}), how = std::move(how)] {
    if (which->at.life() == which->life)
      told(how);
  });
}

void page_plane::cancel(const std::shared_ptr<half>& which, const std::string& why) {
  if (which->pages)
    which->pages->break_off();
  finish(which, make_failure(dwcp_errc::cancelled, why));
}

void page_plane::close(const std::shared_ptr<half>& which) {
  if (auto there = expected_.find(which->ticket.migration);
      there != expected_.end() && there->second == which)
    expected_.erase(there);
  cancel(which, "the session was closed");
}

std::shared_ptr<page_plane::half> page_plane::take_opened(const any_host& from) {
  auto opened = opened_.extract(from.number());
  return opened ? std::move(opened.mapped()) : nullptr;
}

void page_plane::perform(const std::shared_ptr<half>& source, std::function<void()> work) {
  auto& from = source->at;
  source->perform = std::move(work);
  const auto& ticket = source->ticket;
  const auto vm = with_.past.vm_of(ticket.migration);
  auto begun = from.box.driver->migration_perform(vm, {});
  auto destination = hosts_.find(fleet::number_of(ticket.destination));
  if (!begun || destination == hosts_.end()) {
    source_ends(source, vm,
                begun ? make_failure(dwcp_errc::unreachable, "there is no such host")
                      : begun.error());
    return;
  }
  auto pages = std::make_shared<page_transfer>(with_, from, *destination->second, vm);
  source->pages = pages;
  pages->source_hears
      = [this, source, vm](const result<perform_end>& end) { source_ends(source, vm, end); };
  std::shared_ptr<half> receiver;
  if (auto there = expected_.find(ticket.migration);
      there != expected_.end() && there->second->ticket.token == ticket.token) {
    receiver = there->second;
    receiver->pages = pages;
  } else {
    pages->break_off(); // the door closes on it
  }
  pages->destination_hears = [this, receiver](const result<migration_cost>& cost) {
    if (!receiver)
      return;
    receiver->pages.reset();
    finish(receiver, cost ? result<session_statistics>{good_end()} : cost.error());
  };
  if (!source->end) // it was cancelled meanwhile
    pages->break_off();
  pages->start();
}

void page_plane::source_ends(const std::shared_ptr<half>& source, vm_id vm,
                             const result<perform_end>& end) {
  source->pages.reset();
  auto work = std::exchange(source->perform, {});
  if (!work || source->at.life() != source->life)
    return;
  source->at.box.driver->leave_answer(vm, end ? result<std::string>{end->cookie} : end.error());
  work();
  finish(source, end ? result<session_statistics>{good_end()} : end.error());
}

void page_plane::forget(const any_host& of) {
  opened_.erase(of.number());
  std::erase_if(expected_, [&](const auto& each) { return &each.second->at == &of; });
}

} // namespace novacron::sim
