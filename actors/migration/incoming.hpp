#pragma once

#include "actors/host/host_context.hpp"
#include "actors/migration/guest_steps.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace novacron {

/// An incoming guest and the page session that fills it. All functions block;
/// they run in the pool, in order. The finish mark on the disk is what tells,
/// after a crash, whether the guest may have run here.
class incoming : public std::enable_shared_from_this<incoming> {
public:
  incoming(std::shared_ptr<host_context> context, migration_changed what)
      : context_{std::move(context)}, about_{std::move(what)} {
    // nop
  }

  /// Expects the pages and makes the guest. `pages_ended` is called once, from
  /// some thread, when the session ends; what it cost is told only if both ends agree on
  /// the digest.
  result<migration_prepared> prepare(const prepare_migration& request,
                                     std::function<void(result<migration_cost>)> pages_ended);
  /// Lets the guest run.
  std::optional<failure> finish(const std::string& cookie);
  /// Removes guest and session. Succeeds when there was nothing.
  std::optional<failure> cancel();
  /// What is here of the guest.
  result<found_guest> look() const;
  /// Ends the session's threads; the guest stays as it is.
  void release();
  /// The migration is over: removes the mark and the socket.
  void forget() const;

private:
  [[nodiscard]] std::unique_ptr<finish_mark> mark() const;

  std::shared_ptr<host_context> context_;
  migration_changed about_;
  std::mutex mutex_;
  std::unique_ptr<page_receiver> receiver_;
};

} // namespace novacron
