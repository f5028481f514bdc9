#pragma once

#include "messages/address.hpp"
#include "messages/ids.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>

namespace novacron {

/// Where other controllers' doors for snapshots are, as they said, and which of them
/// couldn't be reached. Safe from any thread.
class snapshot_doors {
public:
  using clock = std::chrono::steady_clock;

  /// A door that failed isn't tried again for so long: each try may take seconds, and
  /// the mesh serves meanwhile.
  static constexpr std::chrono::seconds shunned{60};

  void said(node_id owner, const address& where) {
    std::lock_guard lock{mutex_};
    auto& known = doors_[owner];
    if (known.where != where)
      known = {where, {}};
  }
  void failed(node_id owner, clock::time_point now) {
    std::lock_guard lock{mutex_};
    if (auto i = doors_.find(owner); i != doors_.end())
      i->second.not_before = now + shunned;
  }
  [[nodiscard]] std::optional<address> find(node_id owner, clock::time_point now) const {
    std::lock_guard lock{mutex_};
    auto i = doors_.find(owner);
    if (i == doors_.end() || now < i->second.not_before)
      return std::nullopt;
    return i->second.where;
  }

private:
  struct door {
    address where;
    clock::time_point not_before;
  };

  mutable std::mutex mutex_;
  std::map<node_id, door> doors_; ///< of controllers: a handful
};

} // namespace novacron
