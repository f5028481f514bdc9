#include "replica_image.hpp"

#include "checker.hpp"
#include "messages/codec.hpp"
#include "storage/local/new_timeline.hpp"
#include "storage/log/rolling_hash.hpp"

#include <algorithm>
#include <utility>

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

void replica_image::begin_new_timeline(const membership& self, const command_batch& first_batch,
                                       const listener& replayed) {
  const auto alone = encode_membership(self);
  ++term;
  vote = 0;
  auto data = [](log_entry::bytes bytes) {
    return std::make_shared<const log_entry::bytes>(std::move(bytes));
  };
  entries.push_back({term, entry_kind::configuration, data(alone)});
  entries.push_back({term, entry_kind::command, data(encode(first_batch))});
  for (auto i = std::max(machine.index + 1, first); i <= last(); ++i)
    if (const auto& entry = entries[i - first]; entry.kind == entry_kind::command)
      replayed(i, entry, machine.apply(i, entry));
  const auto begin = (last() / revision_jump + 1) * revision_jump;
  compacted = compaction_point{begin, term, begin, alone};
  entries.clear();
  first = begin + 1;
  for (auto& record : machine.state.records()) {
    std::visit([&](auto& x) { x.revision = begin; }, record);
    machine.state.load(std::move(record));
  }
  machine.state.loaded(begin, machine.state.now());
  machine.index = begin;
}

} // namespace novacron::sim
