#pragma once

#include "actors/host/host_context.hpp"
#include "actors/host/host_logic.hpp"
#include "actors/migration/migration_destination.hpp"
#include "actors/migration/migration_source.hpp"
#include "actors/vm/vm_state.hpp"
#include "controller_line.hpp"
#include "host_node.hpp"
#include "page_transfer.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace novacron::sim {

/// A host's agent: the real states of the host, its VMs and its migrations, and
/// what carries their effects out in virtual time. Dies with its process.
class host_agent {
public:
  host_agent(fleet& with, host_node& node);

  void begin();
  /// One of its actors ends, and its supervisor starts it again.
  void kill_some_actor();

  // From other hosts, once their word has arrived.
  using prepare_reply = std::function<void(const result<migration_prepared>&)>;
  using performed_reply = std::function<void(const std::optional<failure>&)>;
  void prepare(const prepare_migration& request, prepare_reply reply);
  void performed(const migration_performed& message, performed_reply reply);

  [[nodiscard]] const host_logic& logic() const { return logic_; }

private:
  struct vm_actor_model {
    uint64_t incarnation = 0;
    vm_state state;
  };
  struct migration_actor_model {
    uint64_t incarnation = 0;
    std::optional<migration_source> source;
    std::optional<migration_destination> destination;
    migration_changed known;
    std::shared_ptr<page_transfer> pages; ///< at the source, while they travel
    prepare_reply prepare_answer;
    performed_reply performed_answer;
  };
  using time_point = std::chrono::steady_clock::time_point;

  [[nodiscard]] host_moment moment() const;
  [[nodiscard]] time_point now() const { return moment().now; }
  void later(uint64_t delay_ms, std::function<void()> call);
  void tick();
  void probe();
  void follow();
  void propose(command_body what, std::function<void(const std::optional<command_outcome>&)> then);
  /// Runs `work` on some thread, after all earlier work of the key; what it
  /// returns runs here once it has ended.
  void run(const uuid& key, std::function<std::function<void()>()> work);
  void run_next(const uuid& key);

  // -- the host's effects --------------------------------------------------------------

  void carry_out(const host_effects& effects);
  void carry_out(const propose_registration& what);
  void carry_out(const propose_renewal& what);
  void carry_out(const propose_inventory& what);
  void carry_out(const novacron::move_deadline& what);
  void carry_out(const keep_fencer& what);
  void carry_out(const propose_report& what);
  void carry_out(const look_at_guests& what);
  void carry_out(const ask_about_vm& what);
  void carry_out(const need_vm_actor& what);
  void carry_out(const end_vm_actor& what);
  void carry_out(const novacron::tell_vm& what);
  void carry_out(const show_guest& what);
  void carry_out(const need_migration_actor& what);
  void carry_out(const tell_migration& what);
  void carry_out(const pass_on_request& what);
  void carry_out(const refuse_request& what);
  void carry_out(const note_host& what);

  // -- VMs -----------------------------------------------------------------------------

  vm_actor_model* find(vm_id vm, uint64_t incarnation);
  void start_actor(vm_id vm);
  void carry_out(vm_id vm, const vm_state::effects& effects);
  void call(vm_id vm, guest_call what);
  void tick(vm_id vm, uint64_t incarnation);

  // -- migrations, in host_migrations.cpp ----------------------------------------------

  friend struct migration_interpreter;
  migration_actor_model* find(migration_id migration, uint64_t incarnation);
  void start_actor(migration_id migration, bool source);
  void kill_actor(migration_id migration);
  void carry_out(migration_id migration, const migration_effects& effects);
  void tell(migration_actor_model& actor, const migration_changed& word);
  void tick(migration_id migration, uint64_t incarnation);
  template <class Logic, class Answer>
  std::function<void(const Answer&)>
  brings(migration_id migration, migration_effects (Logic::*to)(const Answer&, time_point));
  void let_go(migration_actor_model& actor, vm_id vm);

  fleet& with_;
  host_node& node_;
  const uint64_t life_;
  std::shared_ptr<host_context> context_;
  host_logic logic_;
  controller_line line_;
  std::map<vm_id, vm_actor_model> vms_;
  std::map<migration_id, migration_actor_model> migrations_;
  std::map<uint64_t, prepare_reply> requests_;
  uint64_t last_ticket_ = 0;
  uint64_t incarnations_ = 0;
  std::map<uuid, std::deque<std::function<std::function<void()>()>>> work_;
  bool told_may_start_ = false;
};

} // namespace novacron::sim
