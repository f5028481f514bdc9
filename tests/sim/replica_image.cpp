#include "replica_image.hpp"

#include "checker.hpp"
#include "messages/codec.hpp"
#include "storage/log/rolling_hash.hpp"

namespace novacron::sim {

machine_image::applied machine_image::apply(uint64_t at, const log_entry& entry) {
  auto batch = decode<command_batch>(*entry.data);
  if (!batch)
    throw violation{"an entry cannot be read"};
  auto done = state.apply(*batch, at);
  for (const auto& each : done.changes)
    hash = rolling_hash(hash, encode(each));
  index = at;
  return {std::move(*batch), std::move(done)};
}

void replica_image::append(uint64_t at, const std::vector<log_entry>& more) {
  if (at != last() + 1)
    throw violation{"a hole in the log on the disk at " + std::to_string(at)};
  entries.insert(entries.end(), more.begin(), more.end());
}

void replica_image::truncate(uint64_t from) {
  if (from < first || from > last() + 1)
    throw violation{"the log is cut where it isn't"};
  entries.resize(from - first);
}

void replica_image::compact(const compaction_point& point, uint64_t up_to) {
  compacted = point;
  if (up_to < first)
    return;
  entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(up_to - first + 1));
  first = up_to + 1;
}

void replica_image::install(const raft_snapshot& snapshot, const machine_image& with) {
  machine = with;
  compacted = compaction_point{snapshot.index, snapshot.term, snapshot.configuration_index,
                               snapshot.configuration};
  entries.clear();
  first = snapshot.index + 1;
}

} // namespace novacron::sim
