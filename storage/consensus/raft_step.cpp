// One step of the core, and what it asks for.

#include "storage/consensus/raft_configuration.hpp"
#include "storage/consensus/raft_implementation.hpp"
#include "storage/consensus/raft_messages.hpp"

#include <algorithm>
#include <tuple>

namespace novacron {

namespace {

/// Entries' contents kept in memory for peers that are a little behind.
constexpr size_t most_cached_bytes = 16u << 20;

} // namespace

void end_for_raft(const char* what, int code) {
  throw raft_failure{std::string{"the consensus core cannot "} + what + ": " + raft_strerror(code)};
}

bool raft_core::implementation::step(raft_event& event, millisecond_clock now) {
  event.time = now;
  event.capacity = plenty_of_space;
  raft_update update{};
  if (auto code = raft_step(&raft, &event, &update); code != 0) {
    if (event.type == RAFT_SUBMIT || event.type == RAFT_TRANSFER)
      return false;
    end_for_raft("go on", code);
  }
  carry_out(update);
  announce_configurations(now);
  apply_ready();
  if (const auto last = log.last(); !guards.sync_before_ack && !installing && last > stored) {
    stored = last;
    raft_event done{};
    done.type = RAFT_PERSISTED_ENTRIES;
    done.persisted_entries.index = last;
    step(done, now);
  }
  return true;
}

bool raft_core::implementation::submit(std::vector<raft_entry>& entries, millisecond_clock now) {
  if (raft_state(&raft) != RAFT_LEADER)
    return false;
  auto batch = raft_token();
  for (auto& each : entries) {
    each.term = raft_current_term(&raft);
    each.batch = batch;
  }
  raft_event event{};
  event.type = RAFT_SUBMIT;
  event.submit.entries = entries.data();
  event.submit.n = static_cast<unsigned>(entries.size());
  if (step(event, now))
    return true;
  raft_free(batch);
  return false;
}

void raft_core::implementation::carry_out(const raft_update& update) {
  // The order is the safety argument: a vote before any message that rests on
  // it, the log before its acknowledgement.
  if (update.flags & ((RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR)))
    persistence.store_vote(raft_current_term(&raft), raft_voted_for(&raft));
  if (update.flags & (RAFT_UPDATE_ENTRIES))
    take_entries(update);
  if (update.flags & (RAFT_UPDATE_SNAPSHOT))
    take_snapshot(update);
  if (update.flags & (RAFT_UPDATE_MESSAGES))
    send(update);
  if (auto now_leads = raft_state(&raft) == RAFT_LEADER; now_leads != leads) {
    leads = now_leads;
    machine.leads(leads);
  }
}

void raft_core::implementation::take_entries(const raft_update& update) {
  const auto first = update.entries.index;
  if (first <= log.last()) {
    log.truncate(first);
    stored = std::min<uint64_t>(stored, first - 1);
    configurations.erase(configurations.lower_bound(first), configurations.end());
    persistence.truncate(first);
    machine.dropped(first);
  }
  std::vector<log_entry> entries;
  entries.reserve(update.entries.n);
  for (unsigned i = 0; i < update.entries.n; ++i) {
    entries.push_back(copy(update.entries.batch[i]));
    if (entries.back().kind == entry_kind::configuration)
      configurations[first + i] = *entries.back().data;
    log.append(entries.back());
  }
  raft_free(update.entries.batch[0].batch); // ours, since the flag is set
  persistence.append(first, entries);
}

void raft_core::implementation::take_snapshot(const raft_update& update) {
  // Its contents are here already, see receive_install.
  installing = std::move(fetching->request.snapshot);
  fetching.reset();
  auto members = update.snapshot.metadata.configuration;
  raft_configuration_close(&members);
  raft_free(update.snapshot.chunk.base);
  // libraft's trail begins anew behind it; what was in the log is no longer
  // vouched for, but stays on the disk until the snapshot is in its place.
  log.reset(installing->index + 1, {});
  stored = 0;
  persistence.install(*installing);
}

// -- sending -------------------------------------------------------------------------

std::vector<log_entry> raft_core::implementation::entries_for(uint64_t first, unsigned count) {
  std::vector<log_entry> entries;
  for (auto i = first; i < first + count; ++i) {
    auto entry = log.find(i);
    if (!entry)
      return {};
    if (!entry->data)
      return persistence.read(first, count);
    entries.push_back(*entry);
  }
  return entries;
}

void raft_core::implementation::send_append(uint64_t to, append_request header, unsigned count) {
  if (const auto change = configurations.upper_bound(std::max(stored, header.previous_index));
      guards.own_change_first && change != configurations.end()
      && change->first <= header.previous_index + count)
    count = static_cast<unsigned>(change->first - header.previous_index - 1);
  header.entries = entries_for(header.previous_index + 1, count);
  if (header.entries.empty() && count != 0)
    return; // compacted in between: the peer needs a snapshot
  // Some of them: the peer says how far it is, and gets the others.
  for (auto& part : split_by_size(std::move(header), most_message_bytes))
    transport.send(to, std::move(part));
}

void raft_core::implementation::send_snapshot(uint64_t to, uint64_t term) {
  auto offered = machine.snapshot();
  if (!offered)
    return; // libraft asks again
  install_request request;
  request.term = term;
  auto& snapshot = request.snapshot;
  snapshot.index = offered->index;
  snapshot.term = offered->index == compacted.index ? compacted.term : log.term_of(offered->index);
  if (snapshot.term == 0)
    return;
  std::tie(snapshot.configuration_index, snapshot.configuration) = configuration_at(snapshot.index);
  snapshot.reference = std::move(offered->reference);
  transport.send(to, std::move(request));
}

void raft_core::implementation::send(const raft_update& update) {
  for (unsigned i = 0; i < update.messages.n; ++i) {
    const auto& message = update.messages.batch[i];
    auto body = from_raft(message);
    if (!body)
      continue;
    if (auto append = std::get_if<append_request>(&*body)) {
      send_append(message.server_id, std::move(*append), message.append_entries.n_entries);
      continue;
    }
    if (auto install = std::get_if<install_request>(&*body)) {
      send_snapshot(message.server_id, install->term);
      continue;
    }
    if (auto answer = std::get_if<append_answer>(&*body)) {
      if (guards.stale_term)
        clamp_rejection(*answer, log.last());
      // While it fetches a snapshot it has nothing new to say; a rejection would
      // make the leader offer another one at each heartbeat.
      if (fetching && answer->rejected != 0 && message.server_id == fetching->from
          && answer->term == fetching->request.term)
        answer->rejected = answer->last_index = 0;
    } else if (auto vote = std::get_if<vote_answer>(&*body); vote && guards.denied_pre_vote) {
      const auto echoed = vote->term;
      tell_term(*vote, raft_current_term(&raft));
      hits.denied_pre_vote += echoed != vote->term;
    }
    transport.send(message.server_id, std::move(*body));
  }
}

// -- committed entries ---------------------------------------------------------------

std::pair<uint64_t, log_entry::bytes>
raft_core::implementation::configuration_at(uint64_t index) const {
  auto next = configurations.upper_bound(index);
  if (next == configurations.begin())
    return {};
  return *std::prev(next);
}

void raft_core::implementation::announce_configurations(millisecond_clock now) {
  if (installing)
    return;
  for (;;) {
    auto next = configurations.upper_bound(announced);
    if (next == configurations.end() || next->first > raft_commit_index(&raft))
      return;
    const auto& [index, bytes] = *next;
    announced = index;
    if (index == 1)
      continue; // the core takes the first one for committed when it starts
    raft_membership members;
    if (!members.decode(bytes))
      end_for_raft("read the group's configuration", RAFT_MALFORMED);
    raft_event event{};
    event.type = RAFT_CONFIGURATION;
    event.configuration.index = index;
    event.configuration.conf = members.release();
    step(event, now);
  }
}

void raft_core::implementation::apply_ready() {
  if (installing)
    return;
  // Not beyond what is stored: the state is durable on its own, and must never
  // be ahead of the log.
  const auto commit = static_cast<uint64_t>(raft_commit_index(&raft));
  const auto ready
      = guards.apply_only_stored ? std::min(commit, stored) : std::min(commit, log.last());
  while (applied < ready) {
    const auto index = applied + 1;
    auto entry = *log.find(index);
    applied = index;
    if (entry.kind == entry_kind::command)
      machine.apply(index, entry);
  }
  log.shed(applied, most_cached_bytes);
}

} // namespace novacron
