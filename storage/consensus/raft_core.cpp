#include "storage/consensus/raft_core.hpp"

#include "storage/consensus/raft_configuration.hpp"
#include "storage/consensus/raft_implementation.hpp"
#include "storage/consensus/raft_messages.hpp"
#include "storage/errors.hpp"

#include <algorithm>
#include <new>

namespace novacron {

namespace {

/// Entries that may be on their way to a peer; libraft's default of 32 costs
/// most of the throughput.
constexpr unsigned most_inflight_entries = 8192;
/// After so many election timeouts a peer that was offered a snapshot, and
/// didn't say that it has it, is asked how far it is.
constexpr unsigned install_election_timeouts = 10;

void configure(raft& raft, const raft_start& from) {
  raft.tracer = nullptr; // it formats into one buffer for all threads
  const auto election = static_cast<unsigned>(from.election.count());
  raft_seed(&raft, from.seed);
  raft_set_election_timeout(&raft, election);
  raft_set_heartbeat_timeout(&raft, static_cast<unsigned>(from.heartbeat.count()));
  raft_set_install_snapshot_timeout(&raft, election * install_election_timeouts);
  raft_set_max_inflight_entries(&raft, most_inflight_entries);
  raft_set_pre_vote(&raft, true);
}

} // namespace

void* raft_token() {
  auto piece = raft_malloc(8);
  if (!piece)
    throw std::bad_alloc{};
  return piece;
}

raft_core::raft_core(raft_transport& transport, raft_persistence& persistence,
                     raft_state_machine& machine)
    : self_{std::make_unique<implementation>(transport, persistence, machine)} {
  // nop
}

raft_core::~raft_core() = default;

result<void> raft_core::start(raft_start from, millisecond_clock now) {
  auto& self = *self_;
  if (auto code = raft_init(&self.raft, nullptr, nullptr, from.id, from.address.c_str()); code != 0)
    return make_failure(storage_errc::damaged,
                        std::string{"the consensus core cannot begin: "} + raft_strerror(code));
  self.initialised = true;
  self.guards = from.guards;
  configure(self.raft, from);

  raft_event event{};
  event.type = RAFT_START;
  event.start.start_index = from.first;
  raft_snapshot_metadata metadata{};
  if (from.compacted) {
    self.compacted = *from.compacted;
    self.configurations[from.compacted->configuration_index] = from.compacted->configuration;
    self.announced = from.compacted->configuration_index;
    raft_membership members;
    if (!members.decode(from.compacted->configuration))
      return make_failure(storage_errc::damaged, "the stored configuration cannot be read");
    metadata.index = from.compacted->index;
    metadata.term = from.compacted->term;
    metadata.configuration = members.release();
    metadata.configuration_index = from.compacted->configuration_index;
    event.start.metadata = &metadata;
  }
  std::vector<raft_entry> lent;
  auto batch = from.entries.empty() ? nullptr : raft_token();
  for (size_t i = 0; i < from.entries.size(); ++i) {
    const auto& entry = from.entries[i];
    if (entry.kind == entry_kind::configuration && from.first + i > self.announced)
      self.configurations[from.first + i] = *entry.data;
    lent.push_back(lend(entry, batch));
  }
  if (auto newest = self.configurations.rbegin();
      self.guards.term_of_one && newest != self.configurations.rend()) {
    membership members;
    if (!decode_membership(newest->second, members))
      return make_failure(storage_errc::damaged, "the stored configuration cannot be read");
    auto member = find_member(members, from.id);
    if (member && member->role == member_role::voter && count_voters(members) == 1)
      self.persistence.store_vote(++from.term, from.vote = from.id);
  }
  event.start.term = from.term;
  event.start.voted_for = from.vote;
  event.start.entries = lent.data();
  event.start.n_entries = static_cast<unsigned>(lent.size());

  self.log.reset(from.first, std::move(from.entries));
  self.stored = self.log.last();
  self.applied = from.applied;
  event.time = now;
  event.capacity = plenty_of_space;
  raft_update update{};
  if (auto code = raft_step(&self.raft, &event, &update); code != 0)
    return make_failure(storage_errc::damaged,
                        std::string{"the consensus core refuses the log: "} + raft_strerror(code));
  raft_free(batch);
  self.carry_out(update);
  self.announce_configurations(now);
  self.apply_ready();
  return {};
}

bool raft_core::submit(std::vector<log_entry::bytes> commands, millisecond_clock now) {
  std::vector<raft_entry> entries;
  for (auto& bytes : commands) {
    raft_entry entry{};
    entry.type = RAFT_COMMAND;
    entry.buf = {bytes.data(), bytes.size()};
    entries.push_back(entry);
  }
  return self_->submit(entries, now);
}

bool raft_core::submit_barrier(millisecond_clock now) {
  std::vector<raft_entry> one(1);
  one[0].type = RAFT_BARRIER;
  return self_->submit(one, now);
}

change_answer raft_core::change(const membership& members, millisecond_clock now) {
  auto& self = *self_;
  if (!leader())
    return change_answer::not_leader;
  if (membership_index() > commit_index())
    return change_answer::busy;
  if (self.guards.own_term_first && !settled()) {
    ++self.hits.own_term_first;
    if (self.log.term_of(last_index()) != term())
      submit_barrier(now);
    return change_answer::too_early;
  }
  auto bytes = encode_membership(members);
  std::vector<raft_entry> one(1);
  one[0].type = RAFT_CHANGE;
  one[0].buf = {bytes.data(), bytes.size()};
  return self.submit(one, now) ? change_answer::submitted : change_answer::busy;
}

bool raft_core::transfer(uint64_t to, millisecond_clock now) {
  if (!leader() || to == 0)
    return false;
  raft_event event{};
  event.type = RAFT_TRANSFER;
  event.transfer.server_id = to;
  return self_->step(event, now);
}

void raft_core::stored(uint64_t index, uint64_t term, millisecond_clock now) {
  auto& self = *self_;
  // Truncated since, reported already, or wiped by a snapshot.
  if (self.installing || self.log.term_of(index) != term || index <= self.stored)
    return;
  self.stored = index;
  raft_event event{};
  event.type = RAFT_PERSISTED_ENTRIES;
  event.persisted_entries.index = index;
  self.step(event, now);
}

void raft_core::tick(millisecond_clock now) {
  auto& self = *self_;
  if (raft_state(&self.raft) == RAFT_FOLLOWER && now >= raft_timeout(&self.raft)) {
    if (self.guards.silent_leader)
      self.forget_leader();
    if (self.guards.term_of_one && self.votes_alone() && !self.installing
        && self.stored >= last_index())
      self.begin_term();
  }
  raft_event event{};
  event.type = RAFT_TIMEOUT;
  self.step(event, now);
}

bool raft_core::implementation::votes_alone() const {
  const auto members = members_of(raft.configuration);
  auto member = find_member(members, raft.id);
  return member && member->role == member_role::voter && count_voters(members) == 1;
}

void raft_core::implementation::begin_term() {
  ++raft.current_term;
  raft.voted_for = raft.id;
  raft.follower_state.match = 0;
  persistence.store_vote(raft.current_term, raft.voted_for);
}

void raft_core::implementation::forget_leader() {
  if (!raft.follower_state.current_leader.address)
    return;
  ++hits.silent_leader;
  raft_free(raft.follower_state.current_leader.address);
  raft.follower_state.current_leader = {};
}

raft_core::millisecond_clock raft_core::next_tick() const {
  return raft_timeout(&self_->raft);
}

std::optional<compaction_point> raft_core::compact(uint64_t index, uint32_t keep,
                                                   millisecond_clock now) {
  auto& self = *self_;
  if (self.installing || self.log.term_of(index) == 0 || index > self.applied
      || index <= self.compacted.index)
    return {};
  auto [configuration_index, configuration] = self.configuration_at(index);
  compaction_point point{index, self.log.term_of(index), configuration_index, configuration};
  raft_membership members;
  if (!members.decode(configuration))
    end_for_raft("read the group's configuration", RAFT_MALFORMED);
  raft_event event{};
  event.type = RAFT_SNAPSHOT;
  event.snapshot.metadata.index = index;
  event.snapshot.metadata.term = point.term;
  event.snapshot.metadata.configuration = members.release();
  event.snapshot.metadata.configuration_index = point.configuration_index;
  event.snapshot.trailing = keep;
  self.compacted = point;
  self.configurations.erase(self.configurations.begin(),
                            self.configurations.find(configuration_index));
  self.step(event, now);
  self.log.compact(index > keep ? index - keep : 0);
  return point;
}

// -- what is -------------------------------------------------------------------------

bool raft_core::leader() const {
  return raft_state(&self_->raft) == RAFT_LEADER;
}

uint64_t raft_core::leader_id() const {
  raft_id id = 0;
  const char* address = nullptr;
  raft_leader(&self_->raft, &id, &address);
  return id;
}

uint64_t raft_core::term() const {
  return raft_current_term(&self_->raft);
}

uint64_t raft_core::commit_index() const {
  return raft_commit_index(&self_->raft);
}

uint64_t raft_core::applied_index() const {
  return self_->applied;
}

uint64_t raft_core::last_index() const {
  return self_->log.last();
}

bool raft_core::settled() const {
  if (!leader())
    return false;
  const auto commit = commit_index();
  const auto of_commit
      = commit == self_->compacted.index ? self_->compacted.term : self_->log.term_of(commit);
  return of_commit == term();
}

membership raft_core::members() const {
  return members_of(self_->raft.configuration);
}

uint64_t raft_core::membership_index() const {
  const auto& all = self_->configurations;
  return all.empty() ? 0 : all.rbegin()->first;
}

uint32_t raft_core::voters() const {
  return static_cast<uint32_t>(count_voters(members()));
}

uint64_t raft_core::match_index(uint64_t peer) const {
  raft_index match = 0;
  return leader() && raft_match_index(&self_->raft, peer, &match) == 0 ? match : 0;
}

raft_core::millisecond_clock raft_core::heard(uint64_t peer) const {
  auto found = self_->heard.find(peer);
  return found == self_->heard.end() ? 0 : found->second;
}

bool raft_core::installing() const {
  return self_->fetching || self_->installing;
}

const guard_hits& raft_core::guarded() const {
  return self_->hits;
}

const compaction_point& raft_core::compacted() const {
  return self_->compacted;
}

} // namespace novacron
