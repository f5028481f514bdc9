#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace novacron::sim {

/// Paths that a campaign must have taken: a simulation that never installs a
/// snapshot proves nothing about them.
enum class probe : uint8_t {
  leader_elected,
  leader_stepped_down,
  pre_vote_denied,
  vote_denied,
  stale_term_message,
  entries_truncated,
  message_lost,
  message_duplicated,
  one_way_partition,
  crash_lost_writes,
  crash_while_installing,
  crash_of_leader,
  disk_full,
  disk_slow,
  snapshot_offered,
  snapshot_installed,
  snapshot_chunk_lost,
  snapshot_given_up,
  standby_added,
  standby_promoted,
  voter_demoted,
  member_removed,
  leader_hands_over_to_leave,
  change_in_partition,
  change_refused,
  change_unknown,
  change_before_own_term,
  lead_handed_over,
  outcome_unknown,
  proposal_refused,
  guard_stale_term,
  guard_denied_pre_vote,
  guard_stale_rejection,
  guard_rebase,
  guard_split,
  guard_silent_leader,
  guard_standby_votes,
  guard_late_votes,

  // What needs hosts.
  lease_expired,
  host_came_back,
  permission_lost,
  fenced_at_the_deadline,
  fenced_while_not_running,
  late_create_fenced,
  fencer_killed,
  fencer_killed_with_agent,
  fencer_started_again,
  agent_died_beside_guests,
  agent_died_in_call,
  agent_frozen_past_deadline,
  power_lost_under_guests,
  daemon_died,
  answer_lost,
  effect_came_late,
  incoming_ends_with_agent,
  vm_actor_killed,
  migration_actor_killed,
  stale_guest_ended,
  stale_report_dropped,
  guest_restarted_by_policy,
  lost_vm_placed_elsewhere,
  lost_vm_started_where_it_was,
  log_asked_about_guest,
  memory_moved,
  migration_waited,
  migration_tried_again,
  migration_done,
  migration_aborted,
  migration_returned,
  perform_aborted,
  abort_by_timeout,
  decision_came_second,
  stop_during_migration,
  finish_mark_found,
  feed_too_old,
  call_tried_again,
  repeated_with_next_leader,
  call_repeated,
  linearizable_read,
  key_reused,
  answered_call_repeated,
  bad_call_refused,
  overload_refused,
  gateway_died,
  view_waited,
  view_behind,
  majority_lost,
  recovered_without_acknowledged,
  placement_awaits_hosts,
  awaited_host_confirmed,
  guest_ended_by_hand,
  end
};

std::string_view name_of(probe what);

/// How often each path was taken.
class probes {
public:
  static constexpr auto total = static_cast<size_t>(probe::end);

  void hit(probe what, uint64_t times = 1) { hits_[static_cast<size_t>(what)] += times; }
  [[nodiscard]] uint64_t hits(probe what) const { return hits_[static_cast<size_t>(what)]; }
  void add(const probes& others) {
    for (size_t i = 0; i < total; ++i)
      hits_[i] += others.hits_[i];
  }
  [[nodiscard]] size_t distinct() const {
    size_t n = 0;
    for (auto each : hits_)
      n += each != 0;
    return n;
  }

private:
  std::array<uint64_t, total> hits_{};
};

} // namespace novacron::sim
