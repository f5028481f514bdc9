#pragma once

#include <cstdint>
#include <random>

namespace novacron::sim {

/// All chance of a schedule comes from here, so that a seed repeats it.
class chance {
public:
  explicit chance(uint64_t seed) : engine_{seed} {
    // nop
  }

  uint64_t below(uint64_t end) { return end == 0 ? 0 : engine_() % end; }
  uint64_t between(uint64_t least, uint64_t most) { return least + below(most - least + 1); }
  bool permille(uint64_t rate) { return below(1000) < rate; }
  uint64_t any() { return engine_(); }

private:
  std::mt19937_64 engine_;
};

} // namespace novacron::sim
