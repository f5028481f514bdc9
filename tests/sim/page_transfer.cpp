#include "page_transfer.hpp"

#include "hypervisor/errors.hpp"

namespace novacron::sim {

namespace {

constexpr uint64_t step_ms = 40;

failure aborted(const std::string& why) {
  return make_failure(hypervisor_errc::aborted, "the memory did not arrive: " + why);
}

} // namespace

page_transfer::page_transfer(fleet& with, any_host& from, any_host& to, vm_id vm)
    : with_{with}, from_{from}, to_{to}, vm_{vm}, from_life_{from.life()}, to_life_{to.life()} {
  // nop
}

void page_transfer::start() {
  auto source = from_.box.driver->find(vm_);
  auto destination = to_.box.driver->find(vm_);
  from_number_ = source ? source->number : 0;
  to_number_ = destination ? destination->number : 0;
  left_ms_ = with_.all.luck.between(30, with_.settings.perform_max_ms);
  step();
}

std::string page_transfer::problem() const {
  auto source = from_.box.driver->find(vm_);
  auto destination = to_.box.driver->find(vm_);
  if (!source || source->number != from_number_ || !source->performing)
    return "the guest ended";
  if (source->abort)
    return "it was aborted";
  if (!destination || destination->number != to_number_
      || destination->phase != guest_phase::incoming || destination->doomed)
    return "the incoming guest is gone";
  if (broken_ || from_.life() != from_life_ || to_.life() != to_life_)
    return "an end of the stream is gone";
  if (!with_.all.net.joined(from_.number(), to_.number()))
    return "the way is cut";
  return {};
}

void page_transfer::step() {
  auto why = problem();
  if (why.empty() && left_ms_ == 0
      && with_.all.luck.permille(with_.settings.perform_breaks_permille))
    why = "the stream broke";
  if (!why.empty() || left_ms_ == 0) {
    end(why);
    return;
  }
  if (!from_.frozen() && !to_.frozen())
    left_ms_ -= std::min(left_ms_, step_ms);
  with_.all.time.after(step_ms, [self = shared_from_this()] { self->step(); });
}

void page_transfer::end(const std::string& problem) {
  auto& source = *from_.box.driver;
  auto here = source.find(vm_);
  const bool same = here && here->number == from_number_;
  auto& luck = with_.all.luck;
  if (!problem.empty()) {
    if (same)
      source.performed(vm_, false);
    source_hears(aborted(problem));
    destination_hears(aborted(problem));
    return;
  }
  source.performed(vm_, true);
  to_.box.driver->loaded(vm_, here->body);
  with_.all.seen.hit(probe::memory_moved);
  // The bytes are there; the ends may still disagree, or not hear of it.
  const bool digests_differ = luck.permille(30);
  const bool answer_lost = luck.permille(30);
  perform_end end;
  end.cookie = "performed";
  end.cost.guest_bytes = end.cost.wire_bytes = 1;
  end.cost.rounds = 1;
  end.cost.chain_ok = true;
  if (digests_differ)
    destination_hears(aborted("the digests differ"));
  else
    destination_hears(end.cost);
  if (answer_lost)
    source_hears(make_failure(hypervisor_errc::outcome_unknown, "Perform's answer was lost"));
  else
    source_hears(end);
}

} // namespace novacron::sim
