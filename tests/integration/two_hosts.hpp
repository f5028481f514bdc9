#pragma once

#include "hypervisor/console/console_watch.hpp"
#include "tests/integration/control_plane.hpp"
#include "tests/integration/migrating_host.hpp"
#include "tests/integration/page_link.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace novacron::test {

struct two_hosts_parts;

/// A whole small cluster in this process: a controller, two hosts with real
/// libvirtds, and one guest of 256 MiB that runs on one of them. Only the mesh
/// is not real: what hosts say to each other is handed over as it is. A test
/// may interrupt the hosts' hypervisors, the link that the pages take, and the
/// moment before a migration's commit.
class two_hosts {
public:
  /// The guest's workload: kernel arguments of the lab's guest. `kept_bytes`: what each host keeps
  /// of guests that were there.
  explicit two_hosts(const std::string& workload = "novacron.region=16 novacron.sweep=2",
                     uint64_t kept_bytes = 0);
  ~two_hosts();
  two_hosts(const two_hosts&) = delete;
  two_hosts& operator=(const two_hosts&) = delete;

  /// The host where the log has the guest, and the other one.
  migrating_host& here();
  migrating_host& there();

  /// Reserves a migration to the other host.
  migration_record migrate(const migration_terms& terms = {});
  std::optional<migration_record> find(migration_id id) {
    return control().find<migration_record>(id);
  }
  /// Once it is decided and cleaned up on both sides; nothing when that takes too long.
  std::optional<migration_record> end_of(const migration_record& migration,
                                         std::chrono::seconds limit = std::chrono::minutes{1});

  /// The next migration's pages take a link with these faults.
  void set_link(link_faults faults);
  /// The link that the last migration's pages took, or still take.
  std::shared_ptr<page_link> link();
  /// Called once, just before the next proposal to commit is passed on.
  void before_commit(std::function<void()> what);
  /// The controller dies as by SIGKILL; until it is started nobody may be asked about the guest.
  void kill_controller();
  void start_controller();
  /// Takes back all that a test has set, and starts agents that are dead.
  void mend();

  /// Whether, within a minute, the log has the guest running and no open migration.
  bool rests();
  /// Whether, within a minute, the guest runs at `where` and nowhere else, by
  /// the log, by libvirt and by /proc; ticks, with good memory, not twice; and
  /// nothing is left of migrations. Says what isn't so.
  bool settles_at(migrating_host& where);
  /// Checks that the migration ends so, with a reason unless it is done, and that the guest then
  /// settles at `where`.
  void check_end(const migration_record& migration, migration_phase how, migrating_host& where,
                 std::chrono::seconds limit = std::chrono::seconds{30});

  vm_record vm();
  [[nodiscard]] vm_id guest() const;
  control_plane& control();
  console_watch& console();
  /// False once a check has failed: what comes after it would fail, too.
  [[nodiscard]] bool sound() const { return sound_; }
  void unsound() { sound_ = false; }
  /// The last lines of the hosts' logs.
  [[nodiscard]] std::string log_lines() const;

private:
  void start_guest();
  link_actor connect(const std::string& mesh_address);
  migration_prepared by_link(migration_prepared answer);
  void before_proposal(const proposal& what);
  bool holds(bool condition, const std::string& what);
  bool nothing_left(size_t guests);

  std::unique_ptr<two_hosts_parts> parts_;
  bool sound_ = true;
};

/// The cluster that the cases of one file share; a new one after a failure.
two_hosts& shared_hosts();
void end_shared_hosts();

} // namespace novacron::test
