// What peers say, and what libraft must not see of it.

#include "storage/consensus/raft_configuration.hpp"
#include "storage/consensus/raft_implementation.hpp"
#include "storage/consensus/raft_messages.hpp"

#include <utility>

namespace novacron {

/// Lets libraft believe, while it looks at a vote request, that this member votes.
class raft_core::as_voter {
public:
  as_voter(implementation& core, bool wanted) {
    auto& members = core.raft.configuration;
    for (unsigned i = 0; wanted && i < members.n; ++i)
      if (members.servers[i].id == core.raft.id && members.servers[i].role != RAFT_VOTER) {
        server_ = &members.servers[i];
        role_ = std::exchange(server_->role, RAFT_VOTER);
        ++core.hits.standby_votes;
      }
  }
  ~as_voter() {
    if (server_)
      server_->role = role_;
  }
  as_voter(const as_voter&) = delete;
  as_voter& operator=(const as_voter&) = delete;

private:
  raft_server* server_ = nullptr;
  int role_ = 0;
};

void raft_core::receive(uint64_t from, const std::string& address, raft_message_body body,
                        millisecond_clock now) {
  auto& self = *self_;
  self.heard[from] = now;
  if (auto append = std::get_if<append_request>(&body)) {
    self.receive_append(from, address, std::move(*append), now);
    return;
  }
  if (auto install = std::get_if<install_request>(&body)) {
    self.receive_install(from, address, std::move(*install), now);
    return;
  }
  if (auto answer = std::get_if<append_answer>(&body); answer && leader()) {
    raft_index match = 0;
    if (self.guards.stale_rejection && raft_match_index(&self.raft, from, &match) == 0
        && stale_rejection(*answer, match)) {
      ++self.hits.stale_rejection;
      return;
    }
  }
  if (self.guards.late_votes && std::holds_alternative<vote_answer>(body)
      && raft_state(&self.raft) != RAFT_CANDIDATE) {
    ++self.hits.late_votes;
    return;
  }
  if (self.guards.term_of_one && std::holds_alternative<take_over>(body) && self.votes_alone())
    return; // it will, when its election timer says so
  const as_voter role{self,
                      self.guards.standby_votes && std::holds_alternative<vote_request>(body)};
  auto message = to_raft(body, from, address);
  raft_event event{};
  event.type = RAFT_RECEIVE;
  event.receive.message = &message;
  self.step(event, now);
}

void raft_core::implementation::receive_append(uint64_t from, const std::string& address,
                                               append_request request, millisecond_clock now) {
  const auto term = raft_current_term(&raft);
  if (guards.stale_term && request.term < term) {
    ++hits.stale_term; // the answer to it is mended on its way out, if there may be one
    if (stale_append(request, term))
      return;
  }
  if (guards.rebase && request.previous_index < compacted.index) {
    ++hits.rebase;
    rebase(request, compacted.index, compacted.term);
  }
  std::vector<append_request> parts;
  if (guards.split)
    parts = split_at_configurations(std::move(request));
  else
    parts.push_back(std::move(request));
  hits.split += parts.size() - 1;
  for (auto& part : parts) {
    std::vector<raft_entry> entries;
    auto batch = part.entries.empty() ? nullptr : raft_token();
    for (const auto& entry : part.entries)
      entries.push_back(lend(entry, batch));
    auto message = to_raft(part, from, address);
    message.append_entries.entries = entries.data();
    message.append_entries.n_entries = static_cast<unsigned>(entries.size());
    raft_event event{};
    event.type = RAFT_RECEIVE;
    event.receive.message = &message;
    step(event, now); // which frees the batch, here or inside
  }
}

void raft_core::implementation::receive_install(uint64_t from, const std::string& address,
                                                install_request request, millisecond_clock now) {
  const auto term = raft_current_term(&raft);
  if (guards.stale_term && request.term < term) {
    ++hits.stale_term;
    return;
  }
  if (installing)
    return; // the leader repeats itself
  const auto index = request.snapshot.index;
  if (index <= raft_commit_index(&raft) || log.term_of(index) == request.snapshot.term) {
    step_install(from, address, request, now); // which says that it is here already
    return;
  }
  if (fetching && fetching->from == from && fetching->request.term >= request.term)
    return;
  fetching = fetch_under_way{from, address, request};
  machine.fetch(from, request.snapshot);
}

void raft_core::fetched(bool complete, millisecond_clock now) {
  auto& self = *self_;
  if (!self.fetching)
    return;
  const auto fetch = *self.fetching;
  // A new leader offers its own, or is this replica, as a term has one leader; and what
  // came through the log meanwhile may have made this one superfluous.
  if (!complete || fetch.request.term != term() || fetch.request.snapshot.index <= commit_index()) {
    self.fetching.reset();
    return;
  }
  self.step_install(fetch.from, fetch.address, fetch.request, now);
  self.fetching.reset(); // libraft took it, or has all of its entries
}

void raft_core::implementation::step_install(uint64_t from, const std::string& address,
                                             const install_request& request,
                                             millisecond_clock now) {
  raft_membership members;
  if (!members.decode(request.snapshot.configuration))
    return; // not what a replica of this version sends
  auto message = to_raft(request, from, address);
  message.install_snapshot.conf = members.release();
  message.install_snapshot.data.base = raft_token(); // it never looks at the contents
  message.install_snapshot.data.len = 1;
  raft_event event{};
  event.type = RAFT_RECEIVE;
  event.receive.message = &message;
  step(event, now);
}

void raft_core::installed(millisecond_clock now) {
  auto& self = *self_;
  if (!self.installing)
    return;
  const auto snapshot = *std::exchange(self.installing, std::nullopt);
  self.compacted
      = {snapshot.index, snapshot.term, snapshot.configuration_index, snapshot.configuration};
  self.configurations = {{snapshot.configuration_index, snapshot.configuration}};
  self.announced = snapshot.configuration_index;
  self.applied = snapshot.index;
  self.stored = snapshot.index;
  self.machine.restore(snapshot);
  raft_membership members;
  if (!members.decode(snapshot.configuration))
    end_for_raft("read the snapshot's configuration", RAFT_MALFORMED);
  raft_event event{};
  event.type = RAFT_PERSISTED_SNAPSHOT;
  event.persisted_snapshot.metadata.index = snapshot.index;
  event.persisted_snapshot.metadata.term = snapshot.term;
  event.persisted_snapshot.metadata.configuration = members.release();
  event.persisted_snapshot.metadata.configuration_index = snapshot.configuration_index;
  event.persisted_snapshot.offset = 0;
  event.persisted_snapshot.last = true;
  self.step(event, now);
}

} // namespace novacron
