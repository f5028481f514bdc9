// What is here that the log doesn't mean to be.

#include "actors/host/host_logic.hpp"
#include "actors/host/host_notes.hpp"

namespace novacron {

void host_logic::take_inventory(host_moment now, host_effects& out) {
  bool settled = true;
  for (const auto& [vm, guest] : guests_) {
    if (strangers_.contains(vm) || table_.belongs_here(vm, guest.epoch))
      continue;
    settled = false;
    if (!table_.find(vm) && asked_about_.insert(vm).second)
      out.emplace_back(ask_about_vm{vm});
  }
  if (!settled)
    return;
  if (word_is_current(now.boot))
    reconciled_ = lease_.revision();
  confirm_inventory_if_awaited(out);
}

/// The log was recovered, and waits to hear what runs here.
bool host_logic::awaited() const {
  const auto* known = table_.find(settings_.self.id);
  return registered_ && known && known->awaited && known->boot == settings_.self.boot;
}

/// It was let run by a decision that the log has lost, about a migration that it has not:
/// whichever way it decides now, there would be two for a moment.
bool host_logic::runs_ahead(const guest_status& guest) const {
  const auto* record = table_.find(guest.vm);
  return guest.phase == guest_phase::running && record && record->epoch < guest.epoch;
}

void host_logic::confirm_inventory_if_awaited(host_effects& out) {
  if (!awaited() || !look_counts_ || confirming_)
    return;
  bool settled = true;
  for (const auto& [vm, guest] : guests_) {
    if (!runs_ahead(guest))
      continue;
    settled = false;
    if (ahead_.insert(vm).second)
      say(out,
          "a guest runs here by a migration's decision that was lost with a part of the log; "
          "the cluster places nothing until it is ended by hand: virsh destroy",
          true, vm);
  }
  if (!settled)
    return;
  confirming_ = true;
  out.emplace_back(propose_inventory{{settings_.self.id, settings_.self.boot}});
}

host_effects host_logic::inventory_confirmed(const std::optional<command_outcome>& outcome) {
  confirming_ = false;
  if (outcome && doesnt_know_us(outcome->error))
    registered_ = false;
  if (outcome && outcome->ok())
    return say("the recovered log has heard what runs here", false);
  return {};
}

host_effects host_logic::told_about(vm_id vm, const std::optional<feed_listing>& listing) {
  asked_about_.erase(vm);
  if (!listing)
    return {};
  look_soon_ = true;
  host_effects out;
  if (!listing->records.empty()) {
    if (const auto* record = std::get_if<vm_record>(&listing->records.front()))
      table_.learn(*record);
  } else if (strangers_.insert(vm).second) {
    say(out,
        "a guest runs here that no VM of the log accounts for; it is left alone: end it by hand "
        "if it isn't needed",
        true, vm);
  }
  return out;
}

} // namespace novacron
