// One step of the core, and what it asks for.

#include "storage/consensus/guards.hpp"
#include "storage/consensus/raft_configuration.hpp"
#include "storage/consensus/raft_implementation.hpp"
#include "storage/consensus/raft_messages.hpp"

#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace novacron {

namespace {

/// Entries' contents kept in memory for peers that are a little behind.
constexpr size_t most_cached_bytes = 16u << 20;

} // namespace

void end_for_raft(const char* what, int code) {
  std::cerr << "novacron: storage: the consensus core cannot " << what << ": "
            << raft_strerror(code) << "; nothing acknowledged is lost, start this node again"
            << std::endl;
  std::_Exit(EXIT_FAILURE);
}

bool raft_core::implementation::step(raft_event& event, millisecond_clock now) {
  event.time = now;
  event.capacity = plenty_of_space;
  raft_update update{};
  if (auto code = raft_step(&raft, &event, &update); code != 0) {
    if (event.type == RAFT_SUBMIT)
      return false;
    end_for_raft("go on", code);
  }
  carry_out(update);
  announce_configurations(now);
  apply_ready();
  return true;
}

void raft_core::implementation::carry_out(const raft_update& update) {
  // The order is the safety argument: a vote before any message that rests on
  // it, the log before its acknowledgement.
  if (update.flags & ((RAFT_UPDATE_CURRENT_TERM) | (RAFT_UPDATE_VOTED_FOR)))
    persistence.store_vote(raft_current_term(&raft), raft_voted_for(&raft));
  if (update.flags & (RAFT_UPDATE_ENTRIES))
    take_entries(update);
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
    pending_configurations.erase(pending_configurations.lower_bound(first),
                                 pending_configurations.end());
    persistence.truncate(first);
    machine.dropped(first);
  }
  std::vector<log_entry> entries;
  entries.reserve(update.entries.n);
  for (unsigned i = 0; i < update.entries.n; ++i) {
    entries.push_back(copy(update.entries.batch[i]));
    if (entries.back().kind == entry_kind::configuration)
      pending_configurations[first + i] = *entries.back().data;
    log.append(entries.back());
  }
  raft_free(update.entries.batch[0].batch); // ours, since the flag is set
  persistence.append(first, entries);
}

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

void raft_core::implementation::send(const raft_update& update) {
  for (unsigned i = 0; i < update.messages.n; ++i) {
    const auto& message = update.messages.batch[i];
    auto body = from_raft(message);
    if (!body)
      continue;
    if (auto append = std::get_if<append_request>(&*body)) {
      const auto count = message.append_entries.n_entries;
      append->entries = entries_for(append->previous_index + 1, count);
      if (append->entries.size() != count)
        continue; // compacted in between: the peer needs a snapshot
    } else if (auto answer = std::get_if<append_answer>(&*body)) {
      clamp_rejection(*answer, log.last());
    } else if (auto vote = std::get_if<vote_answer>(&*body)) {
      tell_term(*vote, raft_current_term(&raft));
    }
    transport.send(message.server_id, std::move(*body));
  }
}

void raft_core::implementation::announce_configurations(millisecond_clock now) {
  while (!pending_configurations.empty()
         && pending_configurations.begin()->first <= raft_commit_index(&raft)) {
    auto [index, bytes] = std::move(*pending_configurations.begin());
    pending_configurations.erase(pending_configurations.begin());
    configuration_index = index;
    configuration = bytes;
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
  // Not beyond what is stored: the state is durable on its own, and must never
  // be ahead of the log.
  const auto ready = std::min<uint64_t>(raft_commit_index(&raft), stored);
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
