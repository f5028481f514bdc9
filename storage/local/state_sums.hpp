#pragma once

#include "storage/replication/membership.hpp"
#include "storage/replication/replica_word.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>

namespace novacron {

/// Compares the hashes of the replicas' states, and finds out who is wrong.
///
/// The problem: equal logs must make equal states, and a bit that fell over on one
/// disk, or two programs that don't apply a command alike, show only where the
/// states are compared. The one that is wrong must stop, and no other: a leader
/// that is wrong must not stop those who are right. So what more than half of the
/// members have is right. Where all have spoken and no hash has that many, as in
/// a group of two, the leader's is.
///
/// Pure. Nothing is judged by what was not heard: a member that is silent, or so
/// far behind that nobody remembers its place, is compared later.
class state_sums {
public:
  /// Sums of each member that are remembered.
  static constexpr size_t remembered = 64;

  /// The members, of which `self` is this replica.
  void follow(const membership& members, uint64_t self);
  void took(const state_sum& own) { add(self_, own); }
  void said(uint64_t member, const state_sum& theirs);
  /// Another state has taken the place of this replica's.
  void forget_own() { heard_.erase(self_); }

  struct difference {
    uint64_t index = 0;
    uint64_t own = 0;
    uint64_t right = 0; ///< the others' hash, or the leader's

    friend bool operator==(const difference&, const difference&) = default;
  };
  /// Whether this replica's state is wrong, with `leader` leading; 0: nobody does.
  [[nodiscard]] std::optional<difference> judge(uint64_t leader) const;

  /// The newest index at which the member had what this replica had; 0: none.
  [[nodiscard]] uint64_t agreed(uint64_t member) const;
  /// This replica's newest; index 0: there is none.
  [[nodiscard]] state_sum newest() const;

private:
  using sums = std::deque<state_sum>; ///< rising indexes

  void add(uint64_t member, const state_sum& sum);
  [[nodiscard]] const state_sum* at(uint64_t member, uint64_t index) const;
  [[nodiscard]] std::optional<uint64_t> right_at(uint64_t index, uint64_t leader) const;

  membership members_;
  uint64_t self_ = 0;
  std::map<uint64_t, sums> heard_; ///< this replica's among them
};

} // namespace novacron
