#pragma once

#include "dwcp/errors.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

namespace novacron {

/// Which connections of a session are lost, and when to try again. Pure.
class reconnect_plan {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::milliseconds between_tries{250};

  /// What is lost for `limit` is lost for too long.
  explicit reconnect_plan(std::chrono::milliseconds limit) : limit_{limit} {
    // nop
  }

  void lost(uint16_t connection, failure why, time_point now);
  void restored(uint16_t connection) { lost_.erase(connection); }
  /// A try is under way.
  void begun(uint16_t connection);
  /// It has failed.
  void failed(uint16_t connection, time_point now);

  [[nodiscard]] bool empty() const { return lost_.empty(); }
  /// A connection to be tried now, and not being tried.
  [[nodiscard]] std::optional<uint16_t> due(time_point now) const;
  /// When one will be; far away when none is lost.
  [[nodiscard]] time_point next() const;
  /// All that are lost are for too long.
  [[nodiscard]] bool given_up(time_point now) const;
  /// Why the first of those that are lost was; null when none is.
  [[nodiscard]] const failure* why() const;

private:
  struct loss {
    failure why;
    time_point since;
    time_point next_try; ///< far away during one
  };

  std::chrono::milliseconds limit_;
  std::map<uint16_t, loss> lost_;
};

} // namespace novacron
