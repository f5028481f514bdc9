#pragma once

#include "dwcp/codec/lent_pages.hpp"
#include "dwcp/kept_memory/lent_memory.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace novacron {

/// Digests of lent pages, from number `first` on.
struct lent_part {
  uint64_t first = 0;
  std::vector<page_digest> digests;
};

/// Digests what a session lends, on a thread of its own, so that the session need not wait: a few
/// parts ahead of what was taken. A page that can't be read is the end.
class memory_lender {
public:
  static constexpr size_t pages_a_part = 1024;
  static constexpr size_t parts_ahead = 4;

  /// `memory` outlives this; `progressed` is called on its thread when there is something to take.
  memory_lender(const lent_memory& memory, std::function<void()> progressed);
  memory_lender(const memory_lender&) = delete;
  memory_lender& operator=(const memory_lender&) = delete;
  ~memory_lender();

  /// The next part, if it is there.
  std::optional<lent_part> take();
  /// Everything was taken.
  [[nodiscard]] bool done() const;

private:
  void run();
  bool offer(lent_part part);

  const lent_memory& memory_;
  const std::function<void()> progressed_;
  mutable std::mutex mutex_; ///< guards the three below
  std::condition_variable changed_;
  std::deque<lent_part> parts_;
  bool ended_ = false;
  bool closing_ = false;
  std::thread thread_;
};

} // namespace novacron
