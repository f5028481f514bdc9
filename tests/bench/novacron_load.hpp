#pragma once

#include "messages/actors.hpp"
#include "system_under_test.hpp"
#include "values.hpp"

#include <future>
#include <memory>
#include <mutex>
#include <optional>

namespace novacron::bench {

/// Makes what is written: a VM whose kernel arguments are the value.
class vm_source {
public:
  vm_source(uint64_t run, node_id host, size_t value_bytes)
      : values_{run}, host_{host}, value_bytes_{value_bytes} {
    // nop
  }

  proposal next();

private:
  values values_;
  node_id host_;
  size_t value_bytes_;
};

/// What a writer has seen, for whoever watches it. Safe from any thread.
class acknowledgements {
public:
  using time_point = std::chrono::steady_clock::time_point;

  void add(time_point sent, time_point answered);
  /// Of the writes that were sent at `from` or later, when the first was
  /// acknowledged.
  [[nodiscard]] std::optional<time_point> first_sent_after(time_point from) const;

private:
  mutable std::mutex mutex_;
  std::vector<std::pair<time_point, time_point>> all_;
};

/// Keeps `plan.outstanding` proposals under way over `target` for the plan's
/// time; then says how it went, and ends.
void write_for(caf::actor_system& system, const link_actor& target, vm_source source,
               const load_plan& plan, std::promise<load_result> done);

/// Exactly `count` proposals, `outstanding` at a time; each is repeated until it
/// is acknowledged. `barriers`: of nothing but an entry in the log.
void write_count(caf::actor_system& system, const link_actor& target, vm_source source,
                 size_t outstanding, size_t count, bool barriers, std::promise<void> done);

/// Four writers, one proposal each at a time, through `target`, until told to
/// stop by an exit message.
caf::actor write_on(caf::actor_system& system, const controller_actor& target, vm_source source,
                    std::shared_ptr<acknowledgements> seen);

} // namespace novacron::bench
