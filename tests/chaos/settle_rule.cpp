#include "settle_rule.hpp"

#include "runtime/cli/render.hpp"

#include <algorithm>

namespace novacron::chaos {

namespace {

constexpr size_t most_named = 5; ///< of each kind

bool states_agree(const std::string& requested, const std::string& actual) {
  return requested == actual || (requested == "stopped" && actual == "defined")
         || (requested == "deleted" && actual == "gone");
}

/// It waits for a restart by its policy.
bool restart_is_due(const boost::json::value& vm) {
  return !field_text(vm, "restart_due").empty();
}

} // namespace

std::string unsettled::text() const {
  std::string all;
  for (const auto* part : {&operations, &vms, &ended}) {
    for (size_t i = 0; i < std::min(part->size(), most_named); ++i)
      all += std::string{all.empty() ? "" : "; "} + (part == &ended ? "ended: vm " : "")
             + (*part)[i];
    if (part->size() > most_named)
      all += " and " + std::to_string(part->size() - most_named) + " more";
  }
  return all;
}

unsettled look_for_unsettled(const shown_state& shown) {
  unsettled found;
  for (const auto& vm : shown.vms) {
    const auto requested = field_text(vm, "requested");
    const auto actual = field_text(vm, "actual");
    if (states_agree(requested, actual))
      continue;
    if (actual == "failed" && (requested == "running" || requested == "paused")
        && !restart_is_due(vm))
      found.ended.push_back(field_text(vm, "id"));
    else
      found.vms.push_back("vm " + field_text(vm, "name") + " (" + field_text(vm, "id")
                          + ") is to be " + requested + " and is " + actual + " on "
                          + field_text(vm, "host"));
  }
  for (const auto& operation : shown.operations)
    if (field_text(operation, "state") == "running")
      found.operations.push_back("operation " + field_text(operation, "id") + ", "
                                 + field_text(operation, "verb") + " of vm "
                                 + field_text(operation, "vm") + ", has not ended");
  return found;
}

} // namespace novacron::chaos
