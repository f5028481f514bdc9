#pragma once

#include "actors/log/log.hpp"

#include <deque>
#include <mutex>

namespace novacron::test {

/// Remembers the last lines of a log, to show them when a test fails.
class recent_lines final : public log_sink {
public:
  void write(log_level level, std::string_view module, std::string_view message,
             std::span<const log_field> fields) override;
  [[nodiscard]] std::string text() const;

private:
  mutable std::mutex mutex_;
  std::deque<std::string> lines_;
};

} // namespace novacron::test
