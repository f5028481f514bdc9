#include "storage/log/snapshot_staging.hpp"

#include "storage/log/fields.hpp"
#include "storage/log/rolling_hash.hpp"

#include <rocksdb/write_batch.h>

namespace novacron {

void snapshot_staging::begin() {
  staged_ = other(state_.generation());
  rocksdb::WriteBatch batch;
  state_.forget_state(batch, staged_);
  db_.write(batch, database::durability::buffered);
}

bool snapshot_staging::add(const snapshot_chunk& chunk) {
  if (rolling_hash(0, chunk.records) != chunk.hash)
    return false;
  rocksdb::WriteBatch batch;
  field_reader fields{{reinterpret_cast<const char*>(chunk.records.data()), chunk.records.size()}};
  while (!fields.at_end()) {
    const auto key = fields.text(fields.number<uint32_t>());
    const auto value = fields.text(fields.number<uint32_t>());
    if (!fields.good() || !kind_of_state_key(key))
      return false;
    batch.Put(db_.in(column::state), in_generation(staged_, std::string{key}),
              rocksdb::Slice{value.data(), value.size()});
  }
  db_.write(batch, database::durability::buffered);
  return true;
}

} // namespace novacron
