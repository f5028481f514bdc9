#pragma once

#include "actors/migration/migration_source.hpp"
#include "any_host.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace novacron::sim {

/// A Perform, and the pages that it sends from one host to another. Lives in
/// QEMU and in both agents: it ends badly when any of them does, when the way is
/// cut, or by chance; then the guest goes on at the source. Ended well, the
/// guest is paused there and complete at the destination.
class page_transfer : public std::enable_shared_from_this<page_transfer> {
public:
  page_transfer(fleet& with, any_host& from, any_host& to, vm_id vm);

  std::function<void(const result<perform_end>&)> source_hears;
  std::function<void(const result<migration_cost>&)> destination_hears;

  /// The source's hypervisor has begun. Without an incoming guest it soon fails.
  void start();
  /// One of the two sessions is given up.
  void break_off() { broken_ = true; }

private:
  void step();
  [[nodiscard]] std::string problem() const;
  void end(const std::string& problem);

  fleet& with_;
  any_host& from_;
  any_host& to_;
  const vm_id vm_;
  uint64_t from_life_ = 0;
  uint64_t to_life_ = 0;
  uint64_t from_number_ = 0; ///< of the guests' bodies
  uint64_t to_number_ = 0;
  uint64_t left_ms_ = 0;
  bool broken_ = false;
};

} // namespace novacron::sim
