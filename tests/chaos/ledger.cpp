#include "ledger.hpp"

#include "runtime/cli/render.hpp"

#include <algorithm>
#include <span>

namespace novacron::chaos {

namespace {

/// Longer than any proposal lives.
constexpr std::chrono::seconds late_limit{30};

bool agrees(const believed_vm& vm, const std::string& requested) {
  return requested == vm.requested || (!vm.possibly.empty() && requested == vm.possibly);
}

} // namespace

void ledger::created(const std::string& name, const std::string& id, bool ha) {
  std::lock_guard lock{mutex_};
  ++acknowledged_;
  auto& vm = vms_[id];
  if (!vm.id.empty() && vm.name != name)
    breaches_.push_back("creates of " + vm.name + " and " + name + " were answered with one id, "
                        + id);
  vm.id = id;
  vm.name = name;
  vm.ha = ha;
}

void ledger::requested(const std::string& id, const std::string& requested) {
  std::lock_guard lock{mutex_};
  ++acknowledged_;
  auto& vm = vms_[id];
  if (!requested.empty()) // a migration asks for nothing new
    vm.requested = requested;
  if (!requested.empty() && requested != "running")
    vm.turned = clock::now();
  if (clock::now() > vm.possible_until)
    vm.possibly.clear();
}

void ledger::perhaps(const std::string& id, const std::string& requested) {
  std::lock_guard lock{mutex_};
  auto& vm = vms_[id];
  vm.possibly = requested;
  vm.possible_until = clock::now() + late_limit;
}

void ledger::accepted(const std::string& operation) {
  std::lock_guard lock{mutex_};
  if (known_operations_.insert(operation).second)
    operations_.push_back(operation);
}

void ledger::ended(clock::time_point sent, request_end how) {
  std::lock_guard lock{mutex_};
  attempts_.push_back({sent, clock::now(), how});
}

void ledger::broken(const std::string& how) {
  std::lock_guard lock{mutex_};
  breaches_.push_back(how);
}

std::map<std::string, believed_vm> ledger::vms() const {
  std::lock_guard lock{mutex_};
  return vms_;
}

std::vector<std::string> ledger::operations() const {
  std::lock_guard lock{mutex_};
  return operations_;
}

std::vector<std::string> ledger::breaches() const {
  std::lock_guard lock{mutex_};
  return breaches_;
}

uint64_t ledger::acknowledged_writes() const {
  std::lock_guard lock{mutex_};
  return acknowledged_;
}

ledger::tally ledger::between(clock::time_point from, clock::time_point to) const {
  std::lock_guard lock{mutex_};
  tally sum;
  auto at = std::ranges::lower_bound(attempts_, from, {}, &attempt::at);
  for (; at != attempts_.end() && at->at < to; ++at) {
    ++sum.all;
    sum.acknowledged += at->how == request_end::acknowledged ? 1 : 0;
    sum.lost += at->how == request_end::lost ? 1 : 0;
  }
  return sum;
}

ledger::tally ledger::total() const {
  return between(clock::time_point::min(), clock::time_point::max());
}

std::optional<ledger::clock::time_point> ledger::first_sent_after(clock::time_point from) const {
  std::lock_guard lock{mutex_};
  for (auto at = std::ranges::lower_bound(attempts_, from, {}, &attempt::at); at != attempts_.end();
       ++at)
    if (at->sent >= from && at->how == request_end::acknowledged)
      return at->at;
  return {};
}

namespace {

/// How many of the latest operations must be known. Of those that have ended the cluster keeps the
/// latest `kept`; while it shows clearly fewer, none may be gone, and else none of the later half,
/// for they end in about the order in which they were accepted.
size_t must_be_there(const std::vector<std::string>& accepted, const shown_state& shown,
                     size_t kept) {
  const auto ended = std::ranges::count_if(
      shown.operations, [](const auto& x) { return field_text(x, "state") != "running"; });
  return static_cast<size_t>(ended) + kept / 100 < kept ? accepted.size()
                                                        : std::min(accepted.size(), kept / 2);
}

} // namespace

std::vector<std::string> lost_writes(const ledger& of, const shown_state& shown, size_t kept) {
  std::vector<std::string> lost;
  std::multimap<std::string, const boost::json::value*> by_name;
  std::set<std::string> known;
  for (const auto& vm : shown.vms)
    if (field_text(vm, "actual") != "gone")
      by_name.emplace(field_text(vm, "name"), &vm);
  for (const auto& operation : shown.operations)
    known.insert(field_text(operation, "id"));
  for (const auto& [id, vm] : of.vms()) {
    const auto [first, last] = by_name.equal_range(vm.name);
    const auto count = std::distance(first, last);
    if (vm.deleted()) {
      if (count > 0 && field_text(*first->second, "requested") != "deleted")
        lost.push_back("the delete of " + vm.name + " is lost");
      continue;
    }
    const bool may_be_gone = vm.possibly == "deleted";
    if (count == 0 && !may_be_gone)
      lost.push_back("vm " + vm.name + " (" + id + ") is lost");
    else if (count > 1)
      lost.push_back("vm " + vm.name + " is there " + std::to_string(count) + " times");
    else if (count == 1 && field_text(*first->second, "id") != id)
      lost.push_back("vm " + vm.name + " is there as " + field_text(*first->second, "id")
                     + ", and was acknowledged as " + id);
    else if (count == 1 && !agrees(vm, field_text(*first->second, "requested")))
      lost.push_back("vm " + vm.name + " is to be " + field_text(*first->second, "requested")
                     + ", and its last acknowledged write was \"" + vm.requested + '"');
  }
  const auto accepted = of.operations();
  const auto must = must_be_there(accepted, shown, kept);
  for (const auto& operation : std::span{accepted}.last(must))
    if (!known.contains(operation))
      lost.push_back("operation " + operation + " is lost");
  return lost;
}

std::vector<std::string> unknown_vms(const ledger& of, const shown_state& shown) {
  std::vector<std::string> unknown;
  const auto known = of.vms();
  for (const auto& vm : shown.vms)
    if (field_text(vm, "actual") != "gone" && !known.contains(field_text(vm, "id")))
      unknown.push_back("vm " + field_text(vm, "name") + " (" + field_text(vm, "id")
                        + ") is there, and its create was acknowledged to nobody");
  return unknown;
}

} // namespace novacron::chaos
