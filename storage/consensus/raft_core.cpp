#include "storage/consensus/raft_core.hpp"

#include "storage/consensus/guards.hpp"
#include "storage/consensus/raft_configuration.hpp"
#include "storage/consensus/raft_implementation.hpp"
#include "storage/consensus/raft_messages.hpp"
#include "storage/errors.hpp"

#include <new>

namespace novacron {

namespace {

/// Entries that may be on their way to a peer; libraft's default of 32 costs
/// most of the throughput.
constexpr unsigned most_inflight_entries = 8192;

/// A piece of libraft's heap. libraft insists that entries come in a batch of
/// its own memory; what it gets is this token, and the contents stay ours.
void* token() {
  auto piece = raft_malloc(8);
  if (!piece)
    throw std::bad_alloc{};
  return piece;
}

} // namespace

log_entry::bytes initial_configuration(std::span<const raft_voter> voters) {
  raft_membership members;
  for (const auto& each : voters)
    members.add_voter(each.id, each.address);
  return members.encode();
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
  self.raft.tracer = nullptr; // it formats into one buffer for all threads
  raft_seed(&self.raft, from.seed);
  raft_set_election_timeout(&self.raft, static_cast<unsigned>(from.election.count()));
  raft_set_heartbeat_timeout(&self.raft, static_cast<unsigned>(from.heartbeat.count()));
  raft_set_max_inflight_entries(&self.raft, most_inflight_entries);
  raft_set_pre_vote(&self.raft, true);

  raft_event event{};
  event.type = RAFT_START;
  event.start.term = from.term;
  event.start.voted_for = from.vote;
  event.start.start_index = from.first;
  raft_snapshot_metadata metadata{};
  if (from.compacted) {
    self.compacted = *from.compacted;
    self.configuration_index = from.compacted->configuration_index;
    self.configuration = from.compacted->configuration;
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
  auto batch = from.entries.empty() ? nullptr : token();
  for (size_t i = 0; i < from.entries.size(); ++i) {
    const auto& entry = from.entries[i];
    if (entry.kind == entry_kind::configuration && from.first + i > self.configuration_index)
      self.pending_configurations[from.first + i] = *entry.data;
    lent.push_back(lend(entry, batch));
  }
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
  if (!leader())
    return false;
  auto batch = token();
  std::vector<raft_entry> entries;
  for (auto& bytes : commands) {
    raft_entry entry{};
    entry.term = term();
    entry.type = RAFT_COMMAND;
    entry.buf = {bytes.data(), bytes.size()};
    entry.batch = batch;
    entries.push_back(entry);
  }
  raft_event event{};
  event.type = RAFT_SUBMIT;
  event.submit.entries = entries.data();
  event.submit.n = static_cast<unsigned>(entries.size());
  if (self_->step(event, now))
    return true;
  raft_free(batch);
  return false;
}

void raft_core::stored(uint64_t index, uint64_t term, millisecond_clock now) {
  auto& self = *self_;
  // Truncated since, or reported already.
  if (self.log.term_of(index) != term || index <= self.stored)
    return;
  self.stored = index;
  raft_event event{};
  event.type = RAFT_PERSISTED_ENTRIES;
  event.persisted_entries.index = index;
  self.step(event, now);
}

void raft_core::receive(uint64_t from, const std::string& address, raft_message_body body,
                        millisecond_clock now) {
  auto& self = *self_;
  if (auto answer = std::get_if<append_answer>(&body); answer && leader()) {
    raft_index match = 0;
    if (raft_match_index(&self.raft, from, &match) == 0 && stale_rejection(*answer, match))
      return;
  }
  auto append = std::get_if<append_request>(&body);
  if (!append) {
    auto message = to_raft(body, from, address);
    raft_event event{};
    event.type = RAFT_RECEIVE;
    event.receive.message = &message;
    self.step(event, now);
    return;
  }
  if (stale_append(*append, term()))
    return;
  rebase(*append, self.compacted.index, self.compacted.term);
  for (auto& part : split_at_configurations(std::move(*append))) {
    std::vector<raft_entry> entries;
    auto batch = part.entries.empty() ? nullptr : token();
    for (const auto& entry : part.entries)
      entries.push_back(lend(entry, batch));
    auto message = to_raft(part, from, address);
    message.append_entries.entries = entries.data();
    message.append_entries.n_entries = static_cast<unsigned>(entries.size());
    raft_event event{};
    event.type = RAFT_RECEIVE;
    event.receive.message = &message;
    self.step(event, now); // which frees the batch, here or inside
  }
}

void raft_core::tick(millisecond_clock now) {
  raft_event event{};
  event.type = RAFT_TIMEOUT;
  self_->step(event, now);
}

raft_core::millisecond_clock raft_core::next_tick() const {
  return raft_timeout(&self_->raft);
}

std::optional<compaction_point> raft_core::compact(uint64_t index, uint32_t keep,
                                                   millisecond_clock now) {
  auto& self = *self_;
  if (self.log.term_of(index) == 0 || index > self.applied || self.configuration_index > index)
    return {};
  compaction_point point{index, self.log.term_of(index), self.configuration_index,
                         self.configuration};
  raft_membership members;
  if (!members.decode(self.configuration))
    end_for_raft("read the group's configuration", RAFT_MALFORMED);
  raft_event event{};
  event.type = RAFT_SNAPSHOT;
  event.snapshot.metadata.index = index;
  event.snapshot.metadata.term = point.term;
  event.snapshot.metadata.configuration = members.release();
  event.snapshot.metadata.configuration_index = point.configuration_index;
  event.snapshot.trailing = keep;
  self.compacted = point;
  self.step(event, now);
  self.log.compact(index > keep ? index - keep : 0);
  return point;
}

bool raft_core::leader() const {
  return raft_state(&self_->raft) == RAFT_LEADER;
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

uint32_t raft_core::voters() const {
  uint32_t count = 0;
  const auto& members = self_->raft.configuration;
  for (unsigned i = 0; i < members.n; ++i)
    count += members.servers[i].role == RAFT_VOTER;
  return count;
}

} // namespace novacron
