#pragma once

#include "messages/peer.hpp"
#include "storage/log/database.hpp"
#include "storage/log/state_store.hpp"

namespace novacron {

/// Reads the feed from the database. Any thread; each call sees one moment.
/// What concerns a host: `storage/state/audience.hpp`.
class feed_reader {
public:
  explicit feed_reader(database& db) : db_{db}, state_{db} {
    // nop
  }

  /// Records in the order of their keys, which `next` resumes.
  [[nodiscard]] result<feed_listing> list(const list_request& request) const;

  /// Whole revisions only. Stops at the revision that reaches the limit, or
  /// when it has looked at enough of others' changes. `too_old` also where one
  /// revision is too large for a message.
  [[nodiscard]] result<feed_changes> changes_after(const pull_request& request) const;

private:
  bool concerns(const any_record& record, node_id host, const rocksdb::Snapshot* at) const;

  database& db_;
  state_store state_;
};

} // namespace novacron
