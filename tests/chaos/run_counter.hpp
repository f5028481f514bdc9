#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace novacron::chaos {

/// A guest that was seen to run, from outside.
struct running_guest {
  std::string vm;
  std::string host; ///< where
  uint64_t run = 0; ///< tells this run from others of the VM on the host: epoch, or pid
  auto operator<=>(const running_guest&) const = default;
};

/// Counts runs of a VM at one and the same moment. Pure.
///
/// The problem: hosts can't be looked at at once, and a guest that has moved in
/// between is seen twice. So each is looked at twice: all, then all again. A
/// run that was there both times was there between the two looks; two of one VM
/// that were there then ran at the same time.
class run_counter {
public:
  /// Two looks, one after the other. Returns what runs twice, in words, each
  /// pair of runs once only.
  std::vector<std::string> add(const std::vector<running_guest>& first,
                               const std::vector<running_guest>& second);

  [[nodiscard]] uint64_t duplicates() const { return duplicates_; }

private:
  std::map<std::pair<running_guest, running_guest>, bool> known_;
  uint64_t duplicates_ = 0;
};

} // namespace novacron::chaos
