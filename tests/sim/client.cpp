#include "client.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

constexpr uint64_t patience_ms = 4'000;

bool is_final(const command_outcome& outcome) {
  return outcome.error != command_errc::unknown_outcome && outcome.error != command_errc::not_leader
         && outcome.error != command_errc::overloaded;
}

} // namespace

void client::begin() {
  done();
}

void client::done() {
  busy_ = false;
  with_.all.time.after(1 + with_.all.luck.below(2 * with_.settings.pause_ms), [this] {
    if (!stopped_)
      next();
  });
}

void client::next() {
  busy_ = true;
  const auto& vms = with_.vms;
  if (!vms.empty() && with_.all.luck.below(4) == 0)
    read(vms[with_.all.luck.below(vms.size())]);
  else
    call(wish());
}

command_body client::wish() {
  auto& luck = with_.all.luck;
  auto& vms = with_.vms;
  const operation_id operation{with_.fresh(3)};
  if (vms.empty() || (vms.size() < with_.settings.vms && luck.below(3) == 0)) {
    create_vm x;
    x.vm = {with_.fresh(2)};
    x.name = "vm-" + std::to_string(x.vm.value.low);
    x.spec.memory_mib = 50 + luck.below(100);
    x.spec.image = "tick";
    // Most are bound to a lease: what is not, cannot run twice so easily.
    x.spec.restart = luck.below(4) == 0   ? restart_policy::never
                     : luck.below(2) == 0 ? restart_policy::on_failure
                                          : restart_policy::always;
    x.operation = operation;
    vms.push_back(x.vm);
    return x;
  }
  const auto which = luck.below(vms.size());
  const auto vm = vms[which];
  if (luck.below(10) < with_.settings.migrate_share)
    return reserve_migration{{with_.fresh(4)}, vm, {}, 0, operation};
  const auto what = luck.below(20);
  auto wanted = requested_state::running;
  if (what >= 11)
    wanted = requested_state::paused;
  if (what >= 14)
    wanted = requested_state::stopped;
  if (what == 19) {
    wanted = requested_state::deleted;
    vms.erase(vms.begin() + static_cast<std::ptrdiff_t>(which));
  }
  return request_state{vm, wanted, 0, operation};
}

void client::call(command_body what) {
  command asked;
  asked.body = std::move(what);
  asked.idempotency.principal = "client-" + std::to_string(number_);
  asked.idempotency.key = std::to_string(++calls_);
  attempt(asked, with_.past.floor());
}

void client::attempt(const command& what, uint64_t floor) {
  line_->propose({{what}}, patience_ms, [this, what, floor](const std::optional<outcomes>& answer) {
    if (answer && answer->each.size() == 1 && is_final(answer->each.front())) {
      answered(what, answer->each.front(), floor);
      return;
    }
    with_.all.seen.hit(probe::call_tried_again);
    with_.all.time.after(50 + with_.all.luck.below(300),
                         [this, what, floor] { attempt(what, floor); });
  });
}

void client::answered(const command& what, const command_outcome& outcome, uint64_t floor) {
  with_.all.check.trace(31 + number_ * 31 + outcome.revision * 131
                        + static_cast<uint64_t>(outcome.error) * 8191
                        + with_.all.time.now() * 131071);
  if (outcome.ok())
    with_.past.accepted(outcome, floor);
  // A create that was refused made nothing.
  if (auto create = std::get_if<create_vm>(&what.body); create && !outcome.ok())
    std::erase(with_.vms, create->vm);
  done();
}

void client::read(vm_id vm) {
  const auto floor = with_.past.floor();
  line_->list({{}, {}, 65'536, true, vm},
              [this, vm, floor](const std::optional<feed_listing>& page) {
                if (page) {
                  const vm_record* shown = nullptr;
                  for (const auto& each : page->records)
                    if (auto x = std::get_if<vm_record>(&each); x && x->id == vm)
                      shown = x;
                  with_.past.read(vm, shown, page->revision, floor);
                }
                done();
              });
}

} // namespace novacron::sim
