#pragma once

#include "messages/commands.hpp"
#include "storage/state/host_load.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace novacron {

/// One VM and one host: what the filters judge.
struct placement_case {
  const vm_spec& spec;
  const host_record& host;
  const host_load& load; ///< of `host`, without the VM itself
  /// Where the VM's running guest would come from; null: it has none to bring.
  const host_record* leaves = nullptr;
  /// Is a VM of this group somewhere, besides the VM itself?
  std::function<bool(const std::string& group)> has_member;
  /// Compares the two hosts' CPUs; the log of before cluster version 3 didn't.
  bool compares_cpus = true;
};

/// One thing that a host must be or have.
struct placement_filter {
  std::string_view name;
  command_errc error; ///< of a command that breaks it
  /// What is missing, to be read after "host node-2: "; empty: the host passes.
  std::string (*why_not)(const placement_case&);
};

/// All of them, the least likely to change by itself first.
///
/// The scheduler and the state machine judge by the same list: the scheduler
/// chooses from a state that is a moment old, and apply has the last word, so
/// that two creates at once can't break a required rule.
std::span<const placement_filter> placement_filters();

struct placement_refusal {
  const placement_filter* filter = nullptr;
  std::string why;
};

/// The first filter that the host doesn't pass; nothing: it may have the VM.
std::optional<placement_refusal> first_refusal(const placement_case& x);

} // namespace novacron
