// What the consensus core asks of this replica.

#include "storage/errors.hpp"
#include "storage/local/local_replica.hpp"

namespace novacron {

void local_replica::send(uint64_t to, raft_message_body message) {
  raft_envelope envelope;
  auto node = peers_->address(to, envelope);
  if (!node || !config_.transport)
    return;
  envelope.body = std::move(message);
  config_.transport->send(*node, encode(envelope));
}

void local_replica::store_vote(uint64_t term, uint64_t vote) {
  disk_->store_vote(term, vote);
}

void local_replica::append(uint64_t first, std::span<const log_entry> entries) {
  disk_->append(first, {entries.begin(), entries.end()});
}

void local_replica::truncate(uint64_t from) {
  disk_->truncate(from);
}

void local_replica::install(const raft_snapshot& snapshot) {
  applier_->write(); // what is applied lies in the WAL before what replaces it
  compacted_ = snapshot.index;
  disk_->install(
      {snapshot.index, snapshot.term, snapshot.configuration_index, snapshot.configuration},
      fetch_->generation(), fetch_->mark());
}

std::vector<log_entry> local_replica::read(uint64_t first, size_t most) {
  return log_store{*db_}.read(first, most);
}

void local_replica::apply(uint64_t index, const log_entry& entry) {
  applier_->apply(index, entry);
}

void local_replica::dropped(uint64_t index) {
  applier_->fail_from(index, command_errc::unknown_outcome,
                      "another leader took over; ask again with the same key");
}

void local_replica::leads(bool leader) {
  if (leader)
    barriers_->leads_since(core_->last_index());
  else
    lost_leadership_ = true; // answered at the end of the turn
}

std::optional<offered_snapshot> local_replica::snapshot() {
  const auto offer = exports_->offer(core_->compacted().index, snapshot_exports::clock::now());
  return offered_snapshot{offer.mark.index, to_text(offer)};
}

void local_replica::fetch(uint64_t from, const raft_snapshot& snapshot) {
  raft_envelope nobody;
  auto node = peers_->address(from, nobody);
  fetch_->begin(node.value_or(node_id{}), snapshot,
                [this](bool complete) { core_->fetched(complete, now()); });
}

void local_replica::restore(const raft_snapshot&) {
  applier_->reload();
  sums_.forget_own();
}

} // namespace novacron
