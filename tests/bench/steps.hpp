#pragma once

#include "report.hpp"

#include <filesystem>

namespace novacron::bench {

struct bench_options {
  std::filesystem::path folder; ///< where servers keep their data; on the disk to be measured
  double seconds = 5;           ///< of load, for each figure
  size_t value_bytes = 256;
  int kills = 20;
  int restarts = 5;
  size_t records = 100'000;
  bool etcd = true;
};

/// All that is measured, in order, each kept in `out` as it ends.
void run_steps(const bench_options& options, report& out);

} // namespace novacron::bench
