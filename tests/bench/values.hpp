#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace novacron::bench {

/// Keys that never repeat and values that don't compress to nothing: the same
/// for every system under test. For one thread.
class values {
public:
  /// `run` tells keys of different sources apart.
  explicit values(uint64_t run) : run_{run}, random_{run} {
    // nop
  }

  [[nodiscard]] uint64_t run() const { return run_; }
  uint64_t next_number() { return ++number_; }

  std::string next_value(size_t bytes) {
    static constexpr char letters[]
        = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    std::string out(bytes, ' ');
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes; ++i, bits >>= 6) {
      if (i % 10 == 0)
        bits = random_();
      out[i] = letters[bits & 63];
    }
    return out;
  }

private:
  uint64_t run_;
  uint64_t number_ = 0;
  std::mt19937_64 random_;
};

} // namespace novacron::bench
