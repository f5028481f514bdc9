#pragma once

#include "storage/state/cluster_state.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

namespace novacron {

/// Applies one batch to a state, and collects what must be written.
///
/// Commands read records freely but write them only through `edit`, which keeps
/// the indexes right, stamps the record and remembers that it was touched. A
/// command decides first and edits last, so that a refused one leaves no trace.
class batch_applier {
public:
  batch_applier(cluster_state& state, const command_batch& batch, uint64_t revision)
      : state_{state}, batch_{batch}, revision_{revision} {
    // nop
  }

  applied_batch run();

private:
  using outcome = command_outcome;

  // -- the commands, each in a file of its name --------------------------------------

  outcome apply(const create_vm& command);
  outcome apply(const request_state& command);
  outcome apply(const reserve_migration& command);
  outcome apply(const decide_migration& command);
  outcome apply(const host_report& command);
  outcome apply(const register_host& command);
  outcome apply(const renew_lease& command);
  outcome apply(const confirm_inventory& command);
  outcome apply(const expire_lease& command);
  outcome apply(const barrier& command);
  outcome apply(const compare_states& command);
  outcome apply(const replace_vm& command);
  outcome apply(const fence_host& command);
  outcome apply(const maintain_host& command);
  outcome apply(const start_rebalance& command);
  outcome apply(const move_vm& command);
  outcome apply(const note_move& command);
  outcome apply(const cancel_task& command);

  // -- parts of placing a VM, in placement.cpp ---------------------------------------

  /// The refusal of a command that would bring a VM to `host`; nothing: it may.
  /// `vm` is nil, or a VM that exists; `leaves` where its guest runs, or null.
  std::optional<outcome> why_not_on(const host_record& host, const vm_spec& spec, vm_id vm,
                                    const host_record* leaves) const;
  /// Places a VM without a guest elsewhere.
  outcome place_elsewhere(const vm_record& vm, node_id to);
  outcome move_cold(const vm_record& vm, const reserve_migration& command);

  // -- migrations that wait (migration_turns.cpp) -------------------------------------

  [[nodiscard]] bool knows_queue() const;
  [[nodiscard]] bool began_before_recovery(const migration_record& migration) const;
  /// Begins those whose turn it is, ends those that can't begin any more.
  void advance_queue();
  /// Why it can't begin, however long it waits; empty: it can.
  [[nodiscard]] std::string why_not_ever(const migration_record& migration) const;
  [[nodiscard]] bool may_begin_at_once(const migration_record& migration) const;
  [[nodiscard]] std::vector<needed_line> lines_of(const migration_record& migration) const;
  [[nodiscard]] migration_slots slots_under_way() const;
  /// Its destination is reserved from now on, and its hosts are told.
  void begin_migration(const migration_record& migration);
  /// A further try of one that was aborted, of the same operation, if its terms allow one and it
  /// may help; or it was made before. False: there is none.
  bool try_again(const migration_record& migration);
  /// It may begin since this batch, as its time has come.
  [[nodiscard]] bool one_came_due() const;
  [[nodiscard]] bool put_off(const migration_record& migration) const {
    return migration.not_before > state_.now_;
  }
  /// The guest's last migration isn't over yet: a copy of it may be left.
  [[nodiscard]] bool last_one_lingers(const migration_record& migration) const;
  /// It is over, without having begun.
  void end_queued(const migration_record& migration, const std::string& why);
  /// Those of the task's migrations that it ordered itself, and that haven't begun.
  void end_queued_of(const task_record& task, const std::string& why);

  // -- parts of maintenance ----------------------------------------------------------

  outcome cordon(const host_record& host);
  outcome uncordon(const host_record& host);
  outcome drain(const host_record& host, const maintain_host& command);
  void maintain(const host_record& host, host_state maintenance, task_id drain);
  /// Ends the host's other task, if one runs, for a new one of this id, which has to do the rest;
  /// or the refusal of the new one.
  std::optional<outcome> take_the_place(const task_record* running, const host_record& host,
                                        task_id id);
  /// The refusal of a new task's id that can't be one; nothing: it can.
  std::optional<outcome> task_id_taken(task_id id) const;
  [[nodiscard]] std::optional<outcome> too_many_for_a_task(const host_record& host) const;
  /// The drain or evacuation of this host that runs, or null.
  [[nodiscard]] const task_record* running_task_of(const host_record& host) const;
  /// A new task about all VMs that are placed on this host.
  task_record task_of_all(task_kind kind, const host_record& host, task_id id) const;
  void end_task(const task_record& task, task_state how);
  /// Sees what became of tasks' VMs in this batch, and what their deadlines ask for.
  void advance_tasks();
  void advance(const task_record& task, const std::set<vm_id>& touched);
  /// That is under way, or waits for its turn; null: there is none.
  [[nodiscard]] const migration_record* migration_of(const vm_record& vm) const;

  // -- parts of evacuations (evacuate_host.cpp) ---------------------------------------

  outcome evacuate(const host_record& host, const maintain_host& command);
  void begin_evacuation(const host_record& host, task_id id);
  /// The host is back: who has another place by now has it, the others stay.
  static void end_with_return(std::vector<task_move>& moves);
  /// It is off, and has held no lease since: nothing of it runs.
  [[nodiscard]] bool is_fenced(node_id host) const;

  outcome apply(const register_node& command);
  outcome apply(const wish_member& command);
  outcome apply(const make_join_token& command);
  outcome apply(const use_join_token& command);
  outcome apply(const recover_cluster& command);

  // -- parts of the commands of hosts (host_commands.cpp) -----------------------------

  static outcome unknown_host(node_id host);
  static outcome other_boot(const host_record& host, boot_id said);

  // -- parts of the commands about nodes (node_commands.cpp) --------------------------

  /// Why a node must not be taken away. Nothing: it may.
  std::optional<outcome> still_needed(const node_record& node) const;
  /// The node's host, if it is one, ends with it.
  void end_host_of(node_id node);
  std::optional<outcome> name_conflict(const node_record& node) const;
  void drop_old_tokens();
  [[nodiscard]] bool hosts_are_awaited() const;
  [[nodiscard]] bool knows_inventories() const;

  /// After a recovery, as long as hosts are awaited: why `command` must wait.
  std::optional<outcome> awaits_hosts(const command_body& command) const;
  /// A guest's next permission; never one that a lost log may have given.
  [[nodiscard]] epoch next_epoch(const epoch& present) const;

  // -- parts of request_state --------------------------------------------------------

  outcome request_running(const vm_record& vm, operation_id operation);
  outcome request_stopped(const vm_record& vm, operation_id operation);
  outcome request_paused(const vm_record& vm, operation_id operation);
  outcome request_deleted(const vm_record& vm, operation_id operation);
  /// Aborts the VM's migration if it is not decided.
  void give_up_migration(const vm_record& vm, const std::string& reason);

  // -- parts of host_report ----------------------------------------------------------

  void see(const host_report& report, const vm_observation& seen);
  void see(const host_report& report, const migration_observation& seen);
  void end_operation_as_seen(const vm_record& vm);
  void finish_if_it_runs(const vm_record& vm);
  /// Ends a migration as far as both ends' parts are done.
  void settle(migration_id migration);

  // -- hosts that are lost (lost_host.cpp) --------------------------------------------

  [[nodiscard]] bool knows_lost_hosts() const;
  /// Nothing may start there: its lease is over, and none has been granted since.
  [[nodiscard]] bool host_lost(node_id host) const;
  /// A guest that the VM may have had on this lost host surely runs no more.
  [[nodiscard]] bool fenced_with(const host_record& host, const vm_record& vm) const;
  [[nodiscard]] std::vector<vm_id> placed_on(node_id host) const;
  /// The host has just been lost, or is fenced now.
  void lose_guests(const host_record& host);
  void lose(const migration_record& migration, const host_record& host);
  void lose(const vm_record& vm);
  /// A lost host holds a lease again: those whom nobody has placed elsewhere stay.
  void start_where_they_were(node_id host);
  /// The same on all hosts, once the last one that was awaited after a recovery is heard of.
  void start_what_waited_for_hosts();
  /// After a recovery: what hasn't started yet, under epochs of the new timeline.
  void permit_anew();
  /// A lost host registers with a new boot: nothing of the earlier one runs.
  void end_guests_of_earlier_boots(const host_record& host);
  /// A new permission to start, where the VM is placed now.
  void permit(vm_record& vm) const;

  // -- operations --------------------------------------------------------------------

  /// What a call gets that wants what a running operation of the VM already
  /// does: that operation. Nothing if there is none.
  std::optional<outcome> join(const vm_record& vm, operation_verb verb);
  /// What a call gets whose operation exists: it was applied before.
  std::optional<outcome> seen_before(operation_id operation, vm_id vm);
  /// Ends the VM's running operation as superseded by `verb`, unless it is a
  /// migration's, which ends with the migration.
  void supersede(const vm_record& vm, operation_verb verb);
  /// Makes the operation, still running. Nil ids make none.
  void begin(operation_id operation, operation_verb verb, vm_id vm, migration_id migration = {});
  /// Makes the operation, ended well at once.
  void begin_ended(operation_id operation, operation_verb verb, vm_id vm);
  /// Ends it; empty error: it succeeded. Harmless if it has ended. The VM names
  /// its latest running operation afterwards.
  void end(operation_id operation, const std::string& error);
  bool running(operation_id operation) const;

  // -- what comes with every batch ---------------------------------------------------

  outcome run(const command& command);
  /// Gives each VM whose time has come a new permission to start.
  void restart_what_is_due();
  void remember(const command& command, const outcome& what);
  void drop_expired_answers();
  void drop_ended_records();
  void emit_changes();
  std::vector<node_id> audience_of(const any_record& record) const;

  // -- writing -----------------------------------------------------------------------

  template <class F>
  void edit(const vm_record& vm, F change);
  template <class F>
  void edit(const migration_record& migration, F change);
  template <class F>
  void edit(const operation_record& operation, F change);
  template <class F>
  void edit(const host_record& host, F change);
  template <class F>
  void edit(const task_record& task, F change);
  template <class F>
  void edit(const node_record& node, F change);
  template <class F>
  void edit(const join_token_record& token, F change);

  void add(vm_record vm);
  void add(migration_record migration);
  void add(operation_record operation);
  void add(host_record host);
  void add(lease_record lease);
  void add(task_record task);
  void add(node_record node);
  void add(join_token_record token);
  void remove(const vm_record& vm);
  void remove(const migration_record& migration);
  void remove(const operation_record& operation);
  void remove(const task_record& task);
  void remove(const join_token_record& token);

  template <class Record>
  void stamp(Record& record);
  void touch(record_type type, uuid id);
  /// Remembers whom a VM concerned before it is edited.
  void note_audience(const vm_record& vm);
  /// Counts the VM's claims out before an edit and in after it.
  void count(vm_id vm, int sign);

  static std::string removed_for_ever(const node_record& node);
  static outcome refuse(command_errc why, std::string detail);
  static outcome accept(const vm_record& vm, operation_id operation);

  using record_name = std::pair<record_type, uuid>;

  cluster_state& state_;
  const command_batch& batch_;
  const uint64_t revision_;
  log_time before_; ///< the time of the batch before
  applied_batch done_;
  std::vector<record_name> touched_;
  std::set<record_name> known_touched_;
  std::map<record_name, any_record> removed_;
  std::map<vm_id, std::set<node_id>> concerned_before_;
  std::set<vm_id> noted_;
  std::set<std::string> answered_; ///< keys of this batch's answers
};

// -- definitions -------------------------------------------------------------------

template <class Record>
void batch_applier::stamp(Record& record) {
  record.revision = revision_;
  if constexpr (requires { record.changed; })
    record.changed = state_.now_;
}

template <class F>
void batch_applier::edit(const vm_record& vm, F change) {
  auto& record = state_.vms_.at(vm.id);
  note_audience(record);
  state_.count_claims(record, -1);
  state_.unindex(record);
  change(record);
  stamp(record);
  state_.index(record);
  state_.count_claims(record, 1);
  touch(record_type::vm, record.id.value);
}

template <class F>
void batch_applier::edit(const migration_record& migration, F change) {
  auto& record = state_.migrations_.at(migration.id);
  count(record.vm, -1);
  state_.unindex(record);
  change(record);
  stamp(record);
  state_.index(record);
  count(record.vm, 1);
  touch(record_type::migration, record.id.value);
}

template <class F>
void batch_applier::edit(const operation_record& operation, F change) {
  auto& record = state_.operations_.at(operation.id);
  state_.unindex(record);
  change(record);
  stamp(record);
  state_.index(record);
  touch(record_type::operation, record.id.value);
}

template <class F>
void batch_applier::edit(const host_record& host, F change) {
  auto& record = state_.hosts_.at(host.id);
  change(record);
  stamp(record);
  touch(record_type::host, record.id.value);
}

template <class F>
void batch_applier::edit(const task_record& task, F change) {
  auto& record = state_.tasks_.at(task.id);
  state_.unindex(record);
  change(record);
  stamp(record);
  state_.index(record);
  touch(record_type::task, record.id.value);
}

template <class F>
void batch_applier::edit(const node_record& node, F change) {
  auto& record = state_.nodes_.at(node.id);
  change(record);
  stamp(record);
  touch(record_type::node, record.id.value);
}

template <class F>
void batch_applier::edit(const join_token_record& token, F change) {
  auto& record = state_.join_tokens_.at(token.id);
  change(record);
  stamp(record);
  touch(record_type::join_token, record.id.value);
}

} // namespace novacron
