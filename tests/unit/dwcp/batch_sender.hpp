#pragma once

#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/codec/plan_packer.hpp"

#include <vector>

namespace novacron::testing {

/// A batch as it travels.
struct sent_batch {
  batch_announcement announced;
  uint32_t records = 0;
  std::vector<std::byte> payload;
};

/// The source's codec, without threads.
struct batch_sender {
  batch_sender(int zstd_level, const chain_value& start, size_t store_bytes,
               unsigned lane_count = 1)
      : level{zstd_level}, encoder{start, store_bytes}, lanes(lane_count) {
    // nop
  }

  sent_batch seal() {
    auto batch = encoder.seal();
    auto packed = lanes[batches++ % lanes.size()].pack(std::move(batch.plan), level);
    return {{packed.codec, batch.raw_bytes, batch.chain}, batch.records, std::move(packed.payload)};
  }

  int level;
  batch_encoder encoder;
  std::vector<plan_packer> lanes;
  uint64_t batches = 0;
};

} // namespace novacron::testing
