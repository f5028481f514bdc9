#pragma once

#include "messages/records.hpp"

#include <string>
#include <variant>
#include <vector>

namespace novacron {

/// What the feed speaks of.
enum class record_type : uint8_t {
  vm = 1,
  host = 2,
  migration = 3,
  operation = 4,
  task = 5,
  node = 6,
  join_token = 7
};
std::string to_string(record_type x);

/// The whole record, as it stands after the change.
using any_record = std::variant<vm_record, host_record, migration_record, operation_record,
                                task_record, node_record, join_token_record>;

/// One record changed. A record that left the state comes as `removed` with its
/// last content; a VM that is gone, for instance.
struct change {
  uint64_t revision = 0; ///< log index; several changes may share one
  any_record record;
  bool removed = false;

  friend bool operator==(const change&, const change&) = default;
};

record_type type_of(const any_record& record);
uuid id_of(const any_record& record);

/// How a running migration gets on. Never in the log: it travels beside the
/// feed, the latest wins, and losing it loses nothing.
struct migration_progress {
  migration_id migration;
  vm_id vm;
  std::string phase; ///< "preparing", "precopy", "switchover", "finishing"
  uint32_t round = 0;
  uint64_t remaining_bytes = 0;
  uint64_t guest_bytes = 0;
  uint64_t wire_bytes = 0;
  uint64_t bytes_per_second = 0; ///< of the guest's memory, over the last interval
  friend bool operator==(const migration_progress&, const migration_progress&) = default;
};

/// Which part of the state a reader of the feed wants.
struct feed_filter {
  node_id host; ///< nil: everything. Else: the VMs and migrations that this host has to do with,
                ///< and all hosts and nodes

  friend bool operator==(const feed_filter&, const feed_filter&) = default;
};

/// A page of the state as it is now. Reading all pages, then the changes after
/// the `revision` of the first one, yields the state at any later revision:
/// a record that is newer than a change wins over it.
struct feed_listing {
  uint64_t revision = 0; ///< the replica had applied this when it made the page
  std::vector<any_record> records;
  std::string next; ///< where the next page starts; empty: this was the last

  friend bool operator==(const feed_listing&, const feed_listing&) = default;
};

/// The changes after a revision, whole revisions only.
struct feed_changes {
  uint64_t revision = 0; ///< complete up to here; ask for what comes after it next
  bool too_old = false;  ///< the changes asked for are not kept any more: list again
  std::vector<change> changes;
  std::vector<migration_progress> progress;

  friend bool operator==(const feed_changes&, const feed_changes&) = default;
};

} // namespace novacron
