#include "storage/consensus/raft_messages.hpp"

namespace novacron {

namespace {

/// libraft's own versions of its messages: those with features and capacity.
constexpr unsigned char request_vote_version = 2;
constexpr unsigned char answer_version = 1;

} // namespace

entry_kind to_kind(raft_entry_type type) {
  switch (type) {
  case RAFT_BARRIER:
    return entry_kind::barrier;
  case RAFT_CHANGE:
    return entry_kind::configuration;
  case RAFT_COMMAND:
    break;
  }
  return entry_kind::command;
}

raft_entry_type from_kind(entry_kind kind) {
  switch (kind) {
  case entry_kind::barrier:
    return RAFT_BARRIER;
  case entry_kind::configuration:
    return RAFT_CHANGE;
  case entry_kind::command:
    break;
  }
  return RAFT_COMMAND;
}

raft_entry lend(const log_entry& entry, void* batch) {
  raft_entry lent{};
  lent.term = entry.term;
  lent.type = from_kind(entry.kind);
  if (entry.data) {
    // libraft only reads from it, and only if it is a configuration.
    lent.buf.base = const_cast<std::byte*>(entry.data->data());
    lent.buf.len = entry.data->size();
  }
  lent.batch = batch;
  return lent;
}

log_entry copy(const raft_entry& entry) {
  auto begin = static_cast<const std::byte*>(entry.buf.base);
  return {entry.term, to_kind(entry.type),
          std::make_shared<const log_entry::bytes>(begin, begin + entry.buf.len)};
}

std::optional<raft_message_body> from_raft(const raft_message& message) {
  switch (message.type) {
  case RAFT_REQUEST_VOTE: {
    const auto& x = message.request_vote;
    return vote_request{x.term,          x.candidate_id,   x.last_log_index,
                        x.last_log_term, x.disrupt_leader, x.pre_vote};
  }
  case RAFT_REQUEST_VOTE_RESULT: {
    const auto& x = message.request_vote_result;
    return vote_answer{x.term, x.vote_granted, x.pre_vote, x.features, x.capacity};
  }
  case RAFT_APPEND_ENTRIES: {
    const auto& x = message.append_entries;
    return append_request{x.term, x.prev_log_index, x.prev_log_term, x.leader_commit, {}};
  }
  case RAFT_APPEND_ENTRIES_RESULT: {
    const auto& x = message.append_entries_result;
    return append_answer{x.term, x.rejected, x.last_log_index, x.features, x.capacity};
  }
  case RAFT_TIMEOUT_NOW: {
    const auto& x = message.timeout_now;
    return take_over{x.term, x.last_log_index, x.last_log_term};
  }
  case RAFT_INSTALL_SNAPSHOT:
    return install_request{message.install_snapshot.term, {}};
  }
  return {};
}

namespace {

void fill(raft_message& to, const vote_request& x) {
  to.type = RAFT_REQUEST_VOTE;
  to.request_vote = {request_vote_version, x.term,           x.candidate, x.last_index,
                     x.last_term,          x.disrupt_leader, x.pre_vote};
}

void fill(raft_message& to, const vote_answer& x) {
  to.type = RAFT_REQUEST_VOTE_RESULT;
  to.request_vote_result
      = {request_vote_version, x.term, x.granted, x.pre_vote, x.features, x.capacity};
}

void fill(raft_message& to, const append_request& x) {
  to.type = RAFT_APPEND_ENTRIES;
  to.append_entries
      = {answer_version, x.term, x.previous_index, x.previous_term, x.leader_commit, nullptr, 0};
}

void fill(raft_message& to, const append_answer& x) {
  to.type = RAFT_APPEND_ENTRIES_RESULT;
  to.append_entries_result
      = {answer_version, x.term, x.rejected, x.last_index, x.features, x.capacity};
}

void fill(raft_message& to, const take_over& x) {
  to.type = RAFT_TIMEOUT_NOW;
  to.timeout_now = {answer_version, x.term, x.last_index, x.last_term};
}

void fill(raft_message& to, const install_request& x) {
  to.type = RAFT_INSTALL_SNAPSHOT;
  to.install_snapshot.version = 0;
  to.install_snapshot.term = x.term;
  to.install_snapshot.last_index = x.snapshot.index;
  to.install_snapshot.last_term = x.snapshot.term;
  to.install_snapshot.conf_index = x.snapshot.configuration_index;
}

} // namespace

raft_message to_raft(const raft_message_body& body, uint64_t from, const std::string& address) {
  raft_message message{};
  message.server_id = from;
  message.server_address = address.c_str();
  std::visit([&](const auto& x) { fill(message, x); }, body);
  return message;
}

} // namespace novacron
