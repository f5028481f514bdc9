#pragma once

#include "actors/scheduler/placement_state.hpp"
#include "actors/view/event_ring.hpp"
#include "actors/view/record_json.hpp"
#include "actors/view/view_query.hpp"
#include "actors/view/view_waiters.hpp"
#include "messages/changes.hpp"

#include <array>
#include <map>
#include <set>
#include <shared_mutex>
#include <utility>

namespace novacron {

struct view_limits {
  size_t events = 10'000;
  size_t waiters = 10'000;
  size_t event_bytes = 64u << 20; ///< of all events that are kept
};

/// The state in memory, as requests are answered from it.
///
/// The problem: lists and reads come by the thousand, and must cost neither the
/// log nor an actor a message. So one writer, the view's actor, copies the
/// state from the feed, makes each record's JSON once per change, and any
/// number of threads read it under a shared lock held for microseconds.
///
/// A reader sees records as soon as they come, and `revision` rises once
/// everything up to it is there. The table outlives its actor: while a new one
/// lists the state again, requests are answered from the old copy.
class view_table {
public:
  using clock = view_waiters::clock;
  /// Sees each record that changed, on the writer's thread, without a lock held.
  using observer = std::function<void(const any_record&)>;

  explicit view_table(view_limits limits = {})
      : events_{limits.events, limits.event_bytes}, waiters_{limits.waiters} {
    // nop
  }

  // -- for the one writer ----------------------------------------------------------

  /// A record from a listing: no event.
  void listed(const any_record& record);
  /// A record from the changes after one.
  void changed(const any_record& record);
  void removed(const any_record& record);
  /// A listing is complete: what it doesn't name is gone, and events before it
  /// can't be resumed.
  void keep_only(const std::set<std::pair<record_type, uuid>>& named);
  void progress(const migration_progress& progress);
  /// Everything up to `revision` is here: publish the events, end the waits.
  void advance(uint64_t revision);

  // -- for any thread --------------------------------------------------------------

  /// A first listing has been read; before it, lists are not to be shown.
  [[nodiscard]] bool complete() const;
  [[nodiscard]] uint64_t revision() const;

  [[nodiscard]] std::optional<view_document> vm(vm_id id) const;
  [[nodiscard]] std::optional<view_document> host(node_id id) const;
  [[nodiscard]] std::optional<view_document> migration(migration_id id) const;
  /// Of the guest that a migration moves; nothing: there is no such migration.
  [[nodiscard]] std::optional<epoch> epoch_of(migration_id id) const;
  [[nodiscard]] std::optional<view_document> operation(operation_id id) const;
  [[nodiscard]] std::optional<view_document> task(task_id id) const;

  [[nodiscard]] view_page vms(const vm_query& query) const;
  [[nodiscard]] view_page hosts(const page_query& query) const;
  [[nodiscard]] view_page migrations(const history_query& query) const;
  [[nodiscard]] view_page operations(const history_query& query) const;
  [[nodiscard]] view_page tasks(const page_query& query) const;

  /// The records that a placement is planned from, as they are now. Copies them.
  [[nodiscard]] placement_state placement() const;
  /// The latest drain or evacuation of a host; nil: there is none.
  [[nodiscard]] task_id drain_of(node_id host) const;

  /// The host with this name; of several, the one that isn't gone.
  [[nodiscard]] std::optional<node_id> host_named(std::string_view name) const;
  /// The same of any node that wasn't removed.
  [[nodiscard]] std::optional<node_id> node_named(std::string_view name) const;
  /// Empty: no such node.
  [[nodiscard]] std::string name_of_node(node_id id) const;
  /// Sorted by id; those that were removed, too.
  [[nodiscard]] std::vector<node_record> nodes() const;
  [[nodiscard]] std::vector<host_record> host_records() const;
  [[nodiscard]] std::optional<join_token_record> join_token(token_id id) const;
  /// The hosts that aren't gone, by id and name.
  [[nodiscard]] std::vector<std::pair<node_id, std::string>> host_names() const;
  /// VMs in each `actual_state`, by its number.
  [[nodiscard]] std::array<uint64_t, 9> vms_by_state() const;

  /// Where events after `revision` start; nothing: too old, list again.
  [[nodiscard]] std::optional<uint64_t> event_position(uint64_t revision) const;
  [[nodiscard]] uint64_t event_end() const;
  [[nodiscard]] std::optional<event_ring::slice> events(uint64_t position, size_t limit) const;

  /// Calls `fn` once, at the latest when `expire` is called after `deadline`.
  void when_revision(uint64_t revision, clock::time_point deadline, view_waiters::function fn);
  /// Ended, or removed because it ended long ago.
  void when_operation_ends(operation_id id, clock::time_point deadline, view_waiters::function fn);
  void expire(clock::time_point now) { waiters_.expire(now); }

  /// Replaces the observer; an empty one ends it.
  void observe(observer fn);

private:
  struct vm_entry {
    vm_record record;
    shared_json json;
  };
  struct migration_entry {
    migration_record record;
    std::optional<migration_progress> progress;
    shared_json json;
  };
  struct operation_entry {
    operation_record record;
    shared_json json;
  };
  /// An event that waits for `advance`.
  struct staged_event {
    any_record record;
    bool removed = false;
    shared_json json;
  };

  bool put(const any_record& record);
  bool put_one(const vm_record& vm);
  bool put_one(const host_record& host);
  bool put_one(const migration_record& migration);
  bool put_one(const operation_record& operation);
  bool put_one(const task_record& task);
  bool put_one(const node_record& node);
  bool put_one(const join_token_record& token);
  void erase(record_type type, uuid id);
  void index(const vm_record& vm);
  void unindex(const vm_record& vm);
  void unindex(const migration_record& migration);
  [[nodiscard]] std::string host_name(node_id id) const;
  [[nodiscard]] std::string vm_name(vm_id id) const;
  [[nodiscard]] shared_json json_of_task(const task_record& task) const;
  [[nodiscard]] host_usage usage(node_id id) const;
  void render(vm_entry& entry) const;
  void render(migration_entry& entry) const;
  [[nodiscard]] shared_json json_of(const any_record& record) const;
  /// What there is to say of those that wait.
  [[nodiscard]] std::map<migration_id, queue_prospect> queue_prospects() const;
  [[nodiscard]] shared_json queued_json(const migration_record& record,
                                        const std::map<migration_id, queue_prospect>& known) const;

  mutable std::shared_mutex mutex_;
  std::map<vm_id, vm_entry> vms_;
  std::map<node_id, host_record> hosts_;
  std::map<migration_id, migration_entry> migrations_;
  std::map<operation_id, operation_entry> operations_;
  std::map<task_id, task_record> tasks_;
  std::map<node_id, node_record> nodes_;
  std::map<token_id, join_token_record> join_tokens_;
  std::map<std::string, std::set<vm_id>, std::less<>> vms_by_name_;
  std::array<std::set<vm_id>, 9> vms_by_state_;
  std::map<node_id, std::set<vm_id>> vms_by_host_;
  std::map<node_id, host_usage> usage_;
  std::set<migration_id> reserved_; ///< their destinations keep memory free
  std::set<queue_place> queue_;
  std::set<migration_id> under_way_;
  recent_durations durations_;
  std::map<vm_id, std::set<migration_id>> migrations_by_vm_;
  std::map<vm_id, std::set<operation_id>> operations_by_vm_;
  uint64_t revision_ = 0;
  bool complete_ = false;
  bool relisted_ = false; ///< the next `advance` starts the events afresh
  event_ring events_;
  std::vector<staged_event> staged_;

  view_waiters waiters_;
  std::mutex observer_mutex_;
  observer observer_;
};

} // namespace novacron
