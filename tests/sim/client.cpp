#include "client.hpp"

#include "bad_call.hpp"

#include <algorithm>
#include <utility>

namespace novacron::sim {

namespace {

constexpr uint64_t patience_ms = 4'000;

constexpr size_t most_remembered = 6;

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
  auto& luck = with_.all.luck;
  const auto& vms = with_.vms;
  const auto kind = luck.below(20);
  const auto which = luck.below(std::max<size_t>(carried_out_.size(), 1));
  if (kind < 5 && !vms.empty()) {
    const auto vm = vms[luck.below(vms.size())];
    if (kind > 2 || !look(vm))
      read(vm);
  } else if (kind == 5) {
    auto bad = make_bad_call(with_);
    auto made = fresh(std::move(bad.what));
    made.refusal = bad.why;
    ask(std::move(made));
  } else if (kind == 6 && !carried_out_.empty()) {
    ask({carried_out_[which], command_errc::none, true});
  } else if (kind == 7 && !carried_out_.empty() && !vms.empty()) {
    auto other = fresh(
        request_state{vms[luck.below(vms.size())], requested_state::running, 0, {with_.fresh(3)}});
    other.what.idempotency.key = carried_out_[which].idempotency.key;
    ask(std::move(other));
  } else {
    ask(fresh(wish()));
  }
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
  if (luck.below(10) < with_.settings.migrate_share) {
    migration_terms terms;
    terms.tries = 1 + static_cast<uint32_t>(operation.value.low % 3);
    return reserve_migration{{with_.fresh(4)}, vm, {}, 0, operation, terms};
  }
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

client::call client::fresh(command_body what) {
  call made;
  made.what.body = std::move(what);
  made.what.idempotency
      = {"client-" + std::to_string(number_), std::to_string(++calls_), with_.fresh_body()};
  return made;
}

void client::ask(call what) {
  attempt(what, with_.past.floor());
}

void client::attempt(const call& what, uint64_t floor) {
  line_->propose({{what.what}}, patience_ms,
                 [this, what, floor](const std::optional<outcomes>& answer) {
                   if (answer && answer->each.size() == 1 && is_final(answer->each.front())) {
                     answered(what, answer->each.front(), floor);
                     return;
                   }
                   with_.all.seen.hit(probe::call_tried_again);
                   with_.all.time.after(50 + with_.all.luck.below(300),
                                        [this, what, floor] { attempt(what, floor); });
                 });
}

void client::answered(const call& what, const command_outcome& outcome, uint64_t floor) {
  with_.all.check.trace(31 + number_ * 31 + outcome.revision * 131
                        + static_cast<uint64_t>(outcome.error) * 8191
                        + with_.all.time.now() * 131071);
  with_.past.answered(what.what.idempotency, outcome, floor);
  if (what.refusal != command_errc::none)
    check_refusal(with_, {what.what.body, what.refusal}, outcome);
  if (what.again && outcome.repeated)
    with_.all.seen.hit(probe::answered_call_repeated);
  if (outcome.ok() && !what.again) {
    carried_out_.push_back(what.what);
    if (carried_out_.size() > most_remembered)
      carried_out_.pop_front();
  }
  // A create that was refused made nothing.
  if (auto create = std::get_if<create_vm>(&what.what.body); create && !outcome.ok())
    std::erase(with_.vms, create->vm);
  done();
}

bool client::look(vm_id vm) {
  // What was answered before must be there.
  const auto floor = with_.past.floor();
  return line_->look(vm, floor, [this, vm, floor](const std::optional<vm_view>& shown) {
    if (shown)
      with_.past.looked(vm, *shown, floor);
    done();
  });
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
