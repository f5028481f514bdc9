#pragma once

#include "storage/replication/log_entry.hpp"

#include <algorithm>
#include <deque>
#include <iterator>

namespace novacron {

/// The log's tail in memory: terms of all entries since the last compaction,
/// contents of those that may still be applied or sent.
class entry_cache {
public:
  void reset(uint64_t first, std::vector<log_entry> entries) {
    first_ = first;
    entries_.assign(std::make_move_iterator(entries.begin()),
                    std::make_move_iterator(entries.end()));
    loaded_from_ = first;
    bytes_ = 0;
    for (const auto& each : entries_)
      bytes_ += each.data ? each.data->size() : 0;
  }

  void append(log_entry entry) {
    bytes_ += entry.data ? entry.data->size() : 0;
    entries_.push_back(std::move(entry));
  }

  /// Forgets the entry at `from` and all after it.
  void truncate(uint64_t from) {
    while (!entries_.empty() && last() >= from) {
      drop_bytes(entries_.back());
      entries_.pop_back();
    }
  }

  /// Forgets everything up to `index`.
  void compact(uint64_t index) {
    while (!entries_.empty() && first_ <= index) {
      drop_bytes(entries_.front());
      entries_.pop_front();
      ++first_;
    }
  }

  /// Forgets contents, oldest first, until `most_bytes` are left; nothing above `index`.
  void shed(uint64_t index, size_t most_bytes) {
    loaded_from_ = std::max(loaded_from_, first_);
    while (bytes_ > most_bytes && loaded_from_ <= index && loaded_from_ <= last()) {
      auto& entry = entries_[loaded_from_ - first_];
      if (entry.kind != entry_kind::configuration) {
        drop_bytes(entry);
        entry.data.reset();
      }
      ++loaded_from_;
    }
  }

  [[nodiscard]] uint64_t first() const { return first_; }
  /// `first() - 1` when empty.
  [[nodiscard]] uint64_t last() const { return first_ + entries_.size() - 1; }

  [[nodiscard]] const log_entry* find(uint64_t index) const {
    return index < first_ || index > last() ? nullptr : &entries_[index - first_];
  }

  /// 0: not there.
  [[nodiscard]] uint64_t term_of(uint64_t index) const {
    auto entry = find(index);
    return entry ? entry->term : 0;
  }

private:
  void drop_bytes(const log_entry& entry) { bytes_ -= entry.data ? entry.data->size() : 0; }

  uint64_t first_ = 1;
  std::deque<log_entry> entries_;
  uint64_t loaded_from_ = 1; ///< contents before it were shed already
  size_t bytes_ = 0;
};

} // namespace novacron
