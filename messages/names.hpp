#pragma once

#include "messages/changes.hpp"
#include "messages/commands.hpp"
#include "messages/peer.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace novacron {

/// An enumeration's words, as the API and the command line write them, in the
/// order of its values. `first` is the value of the first one; the others
/// follow without gaps. Specialised for each enumeration that has a `to_string`.
template <class Enum>
struct names;

template <>
struct names<requested_state> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 4> words{"stopped", "running", "paused", "deleted"};
};

template <>
struct names<actual_state> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 9> words{"defined", "starting", "running",
                                                         "paused",  "stopping", "migrating",
                                                         "failed",  "lost",     "gone"};
};

template <>
struct names<restart_policy> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 3> words{"never", "on_failure", "always"};
};

template <>
struct names<host_state> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 8> words{
      "joining", "up", "cordoned", "draining", "drained", "unreachable", "fenced", "gone"};
};

template <>
struct names<migration_intent> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 3> words{"gentle", "downtime", "speed"};
};

template <>
struct names<migration_priority> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 3> words{"normal", "low", "high"};
};

template <>
struct names<migration_phase> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 8> words{
      "reserved", "committed", "aborted", "finished", "returned", "done", "rolled_back", "queued"};
};

template <>
struct names<operation_verb> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 7> words{"create", "start",   "stop",  "pause",
                                                         "resume", "migrate", "remove"};
};

template <>
struct names<operation_state> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 3> words{"running", "succeeded", "failed"};
};

template <>
struct names<migration_decision> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 3> words{"commit", "abort", "return_guest"};
};

template <>
struct names<command_errc> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 28> words{"none",
                                                          "unknown_vm",
                                                          "unknown_host",
                                                          "unknown_migration",
                                                          "name_taken",
                                                          "vm_deleted",
                                                          "wrong_state",
                                                          "no_capacity",
                                                          "same_host",
                                                          "migration_in_progress",
                                                          "already_decided",
                                                          "stale_epoch",
                                                          "revision_mismatch",
                                                          "key_reused",
                                                          "stale_report",
                                                          "stale_lease",
                                                          "unknown_outcome",
                                                          "not_leader",
                                                          "overloaded",
                                                          "rule_broken",
                                                          "unknown_task",
                                                          "unknown_node",
                                                          "node_removed",
                                                          "other_disk",
                                                          "node_in_use",
                                                          "bad_token",
                                                          "hosts_awaited",
                                                          "needs_upgrade"};
};

template <>
struct names<opaque_reason> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, opaque_reasons> words{
      "framing", "device_state", "not_a_stream", "unknown_section", "unknown_page", "cut"};
};

template <>
struct names<record_type> {
  static constexpr int first = 1;
  static constexpr std::array<std::string_view, 7> words{"vm",   "host", "migration", "operation",
                                                         "task", "node", "join_token"};
};

template <>
struct names<task_kind> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 3> words{"drain", "rebalance", "evacuation"};
};

template <>
struct names<task_state> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 4> words{"running", "finished", "failed",
                                                         "cancelled"};
};

template <>
struct names<move_state> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 4> words{"waiting", "moving", "finished", "failed"};
};

template <>
struct names<deadline_policy> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 2> words{"leave", "stop"};
};

template <>
struct names<maintenance_wish> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 4> words{"cordon", "uncordon", "drain", "evacuate"};
};

template <>
struct names<node_role> {
  static constexpr int first = 1;
  static constexpr std::array<std::string_view, 3> words{"controller", "gateway", "host"};
};

template <>
struct names<member_wish> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 5> words{"unsaid", "standby", "voter", "leaving",
                                                         "removed"};
};

template <>
struct names<actor_state> {
  static constexpr int first = 0;
  static constexpr std::array<std::string_view, 4> words{"running", "stopping", "restarting",
                                                         "ended"};
};

/// All words of `Enum`, for a list of what is allowed.
template <class Enum>
constexpr std::span<const std::string_view> words_of() {
  return names<Enum>::words;
}

/// The word of `x`; "unknown" for a number that is no value of `Enum`.
template <class Enum>
constexpr std::string_view word_of(Enum x) {
  auto index = static_cast<int>(x) - names<Enum>::first;
  if (index < 0 || index >= static_cast<int>(names<Enum>::words.size()))
    return "unknown";
  return names<Enum>::words[static_cast<size_t>(index)];
}

/// The value with exactly this word; nothing for any other text.
template <class Enum>
constexpr std::optional<Enum> parse(std::string_view word) {
  auto words = words_of<Enum>();
  auto at = std::ranges::find(words, word);
  if (at == words.end())
    return std::nullopt;
  return static_cast<Enum>(names<Enum>::first + (at - words.begin()));
}

} // namespace novacron
