#pragma once

#include <chrono>
#include <string>

namespace novacron {

/// Tells people what happens, as it happens, on standard output.
class stage {
public:
  /// A step begins: its number and what it is.
  void step(int number, const std::string& what);
  /// Something happened: the time since the start, and the sentence.
  void say(const std::string& what) const;

  [[nodiscard]] std::chrono::milliseconds since_start() const;

private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace novacron
