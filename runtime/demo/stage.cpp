#include "runtime/demo/stage.hpp"

#include <cstdio>

namespace novacron {

void stage::step(int number, const std::string& what) {
  std::printf("\n%d. %s\n", number, what.c_str());
  std::fflush(stdout);
}

void stage::say(const std::string& what) const {
  std::printf("%8.2f s  %s\n", std::chrono::duration<double>(since_start()).count(), what.c_str());
  std::fflush(stdout);
}

std::chrono::milliseconds stage::since_start() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                               - start_);
}

} // namespace novacron
