// What members say of themselves: which cluster version their programs know, and what
// their states hash to.

#include "storage/local/local_replica.hpp"

#include <algorithm>
#include <rocksdb/write_batch.h>
#include <sstream>

namespace novacron {

namespace {

/// A word that nothing new asks for.
constexpr uint64_t word_interval_ms = 1'000;

std::string hex(uint64_t x) {
  std::ostringstream out;
  out << std::hex << x;
  return out.str();
}

} // namespace

uint32_t local_replica::own_version() const {
  return config_.hold_version == 0 ? known_cluster_version
                                   : std::min(config_.hold_version, known_cluster_version);
}

// -- words -----------------------------------------------------------------------------

void local_replica::listen_to(uint64_t member, const replica_word& word) {
  peers_->says(member, word.knows);
  sums_.said(member, word.sum);
  compare_ = true;
}

void local_replica::speak() {
  for (const auto& each : applier_->take_sums()) {
    sums_.took(each);
    compare_ = true;
    send_word({own_version(), each});
  }
  if (now() >= speak_at_)
    send_word({own_version(), sums_.newest()});
}

void local_replica::send_word(const replica_word& word) {
  speak_at_ = now() + word_interval_ms;
  if (retired() || !config_.transport || own_version() < sums_since)
    return;
  for (const auto& each : members_) {
    raft_envelope envelope;
    if (each.id == identity_.id)
      continue;
    auto node = peers_->address(each.id, envelope);
    if (!node)
      continue;
    envelope.word = word;
    config_.transport->send(*node, encode(envelope));
  }
}

// -- the states ------------------------------------------------------------------------

/// Durable before anybody hears of it: a replica that has been found wrong is wrong
/// after a restart as well, whoever leads then.
void local_replica::compare() {
  if (!std::exchange(compare_, false) || retired())
    return;
  const auto wrong = sums_.judge(core_->leader_id());
  if (!wrong)
    return;
  const auto why = "the state of this replica differs from the other members': up to index "
                   + std::to_string(wrong->index) + " its changes hash to " + hex(wrong->own)
                   + ", theirs to " + hex(wrong->right);
  rocksdb::WriteBatch batch;
  batch.Put(db_->in(column::meta), meta_key(config_.group, "differs"), why);
  db_->write(batch, database::durability::synced);
  database::give_up(config_.folder, why, std::string{replace_remedy});
}

// -- the cluster's version ---------------------------------------------------------------

uint32_t local_replica::common_version() const {
  auto common = own_version();
  for (const auto& each : members_)
    if (each.id != identity_.id)
      common = std::min(common, peers_->known_by(each.id));
  return std::max({applier_->mark().version, common, least_cluster_version});
}

void local_replica::raise_version() {
  const auto stated = applier_->mark().version;
  if (!core_->leader() || retired() || stated == 0 || stated >= common_version()
      || raised_term_ == core_->term())
    return;
  raised_term_ = core_->term();
  std::vector<waiting_proposal> say;
  say.push_back({{command{barrier{}, {}}}, [](const std::vector<command_outcome>&) {}, 0});
  submit(std::move(say));
}

bool local_replica::too_new(const waiting_proposal& what) const {
  return std::ranges::any_of(what.commands, [version = common_version()](const command& each) {
    return least_version(each.body) > version;
  });
}

std::string local_replica::not_upgraded() const {
  const auto version = common_version();
  std::string nodes;
  for (const auto& each : members_)
    if (auto address = parse_member_address(each.address);
        address && each.id != identity_.id && peers_->known_by(each.id) <= version)
      nodes += (nodes.empty() ? "" : ", ") + to_string(address->node);
  return "the cluster is at version " + std::to_string(version)
         + ", which doesn't know this command yet; upgrade every controller"
         + (nodes.empty() ? std::string{} : ", of which these are behind or silent: " + nodes);
}

} // namespace novacron
