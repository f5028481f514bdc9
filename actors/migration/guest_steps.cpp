#include "actors/migration/guest_steps.hpp"

#include "hypervisor/errors.hpp"
#include "messages/durable_file.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace novacron {

namespace {

/// A Finish that had no effect; any other failure may have come after one.
bool says_that_it_did_not_run(const failure& why) {
  return why.code == hypervisor_errc::no_such_guest || why.code == hypervisor_errc::refused
         || why.code == hypervisor_errc::unreachable;
}

std::optional<failure> problem_of(const result<void>& done) {
  return done ? std::nullopt : std::optional{done.error()};
}

/// Nothing: the hypervisor can't say.
std::optional<bool> is_in(hypervisor& driver, vm_id vm, guest_phase phase) {
  auto guests = driver.list();
  if (!guests)
    return std::nullopt;
  return std::ranges::any_of(
      *guests, [&](const guest_status& each) { return each.vm == vm && each.phase == phase; });
}

} // namespace

// -- the mark ----------------------------------------------------------------------

bool finish_mark_file::stands() const {
  std::error_code unreadable; // then nobody may claim that the guest never ran
  return std::filesystem::exists(file_, unreadable) || unreadable;
}

bool finish_mark_file::set() {
  const auto folder = file_.parent_path();
  std::error_code ignored;
  if (std::filesystem::create_directories(folder, ignored) && !sync_folder(folder.parent_path()))
    return false;
  return replace_durable_file(file_, {}, 0600);
}

void finish_mark_file::remove() {
  std::error_code ignored; // a mark that stays says less than we know, and harms nothing
  std::filesystem::remove(file_, ignored);
}

// -- the destination ---------------------------------------------------------------

std::optional<failure> finish_guest(hypervisor& driver, finish_mark& mark, vm_id vm,
                                    const std::string& cookie) {
  auto first = !mark.stands();
  if (!mark.set()) {
    if (first)
      mark.remove(); // it may be there, and not stay
    return failure{std::make_error_code(first && !mark.stands() ? std::errc::no_space_on_device
                                                                : std::errc::io_error),
                   "cannot note on the destination's disk that the guest " + to_string(vm)
                       + " is about to run; free space in its state folder"};
  }
  auto done = driver.migration_finish(vm, cookie, false);
  if (done)
    return std::nullopt;
  if (first && says_that_it_did_not_run(done.error()))
    mark.remove();
  return done.error();
}

std::optional<failure> cancel_guest(hypervisor& driver, vm_id vm) {
  auto done = driver.migration_finish(vm, {}, true);
  if (done)
    return std::nullopt;
  // One that isn't incoming is none of ours: the VM was placed here meanwhile.
  if (done.error().code == hypervisor_errc::refused
      && is_in(driver, vm, guest_phase::incoming) == false)
    return std::nullopt;
  return done.error();
}

result<found_guest> find_guest(hypervisor& driver, const finish_mark& mark, vm_id vm, epoch epoch) {
  auto guests = driver.list();
  if (!guests)
    return guests.error();
  found_guest found;
  found.may_have_run = mark.stands();
  for (const auto& guest : *guests) {
    if (guest.vm != vm || guest.epoch != epoch)
      continue;
    found.guest = guest.phase == guest_phase::incoming ? found_guest::presence::incoming
                  : guest.phase == guest_phase::paused ? found_guest::presence::paused
                                                       : found_guest::presence::here;
  }
  return found;
}

// -- the source --------------------------------------------------------------------

std::optional<failure> resume_at_source(hypervisor& driver, vm_id vm, epoch epoch) {
  static_cast<void>(driver.migration_abort(vm)); // none may be left running
  auto done = driver.adopt(vm, epoch);
  if (done)
    done = driver.resume(vm);
  if (done || done.error().code == hypervisor_errc::no_such_guest
      || is_in(driver, vm, guest_phase::crashed) == true)
    return std::nullopt;
  return done.error();
}

std::optional<failure> confirm_source(hypervisor& driver, vm_id vm) {
  return problem_of(driver.migration_confirm(vm, {}));
}

} // namespace novacron
