#pragma once

#include "actors/host/host_context.hpp"
#include "actors/migration/convergence.hpp"
#include "actors/migration/migration_source.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace novacron {

/// A Perform and the page session that it writes into. Both must end, and end
/// well, for the destination's memory to be the source's; when one fails the
/// other is ended. Owned by the actor and by the two threads at work.
struct perform_run : std::enable_shared_from_this<perform_run> {
  using ended = std::function<void(result<perform_end>)>;

  perform_run(std::shared_ptr<host_context> with, migration_changed what, ended call)
      : context{std::move(with)}, about{std::move(what)}, on_end{std::move(call)},
        course{about.migration.terms} {
    // nop
  }

  /// Whose memory it is. `start`, `cancel` and `look` name the VM, not the
  /// migration, to the hypervisor: run them in the pool, in the order of this VM,
  /// so that none of them can meet a newer migration's Perform.
  [[nodiscard]] vm_id vm() const { return about.migration.vm; }
  /// Starts both. `on_end` is called once, from some thread. Blocks shortly.
  void start(const migration_prepared& destination);
  /// Makes both end soon, badly unless they had ended well. Blocks.
  void cancel(const std::string& reason);
  /// Ends the page session's threads and lets go of it. Blocks; not from them.
  void release();
  /// Of the page session so far.
  [[nodiscard]] session_statistics statistics() const;
  /// What QEMU says of its migration. Keeps its downtime limit in step with the
  /// round, and cancels a migration that won't come to its end. Blocks.
  migration_job look(convergence::time_point now);

private:
  void page_session_ended(result<session_statistics> how);
  void perform_ended(result<std::string> cookie);
  void conclude(std::unique_lock<std::mutex>& lock);
  void remove_socket() const;

  std::shared_ptr<host_context> context;
  migration_changed about;
  ended on_end;
  mutable std::mutex mutex;
  std::unique_ptr<page_sender> sender;
  std::optional<result<session_statistics>> pages;
  std::optional<result<std::string>> performed;
  convergence course;
  std::chrono::milliseconds downtime_limit{0}; ///< as QEMU was told last; 0: not yet
};

} // namespace novacron
