#include "storage/consensus/guards.hpp"

#include "storage/replication/transport.hpp"

#include <algorithm>
#include <iterator>

namespace novacron {

bool stale_append(const append_request& request, uint64_t current_term) {
  return request.term < current_term && request.previous_index == 0;
}

void clamp_rejection(append_answer& answer, uint64_t last_index) {
  answer.last_index = answer.rejected != 0 ? std::min(last_index, answer.rejected - 1)
                                           : std::min(answer.last_index, last_index);
}

void tell_term(vote_answer& answer, uint64_t current_term) {
  if (answer.pre_vote && !answer.granted)
    answer.term = std::max(answer.term, current_term);
}

bool stale_rejection(const append_answer& answer, uint64_t match_index) {
  return answer.rejected != 0 && answer.rejected <= match_index;
}

void rebase(append_request& request, uint64_t compacted, uint64_t compacted_term) {
  if (compacted == 0 || request.previous_index >= compacted)
    return;
  const auto covered = compacted - request.previous_index;
  const auto drop = std::min<size_t>(covered, request.entries.size());
  request.entries.erase(request.entries.begin(),
                        request.entries.begin() + static_cast<std::ptrdiff_t>(drop));
  request.previous_index = compacted;
  request.previous_term = compacted_term;
}

std::vector<append_request> split_at_configurations(append_request request) {
  std::vector<append_request> parts;
  auto part = request;
  part.entries.clear();
  auto index = request.previous_index;
  auto term = request.previous_term;
  for (auto& entry : request.entries) {
    if (entry.kind == entry_kind::configuration && !part.entries.empty()) {
      parts.push_back(std::move(part));
      part = {request.term, index, term, request.leader_commit, {}};
    }
    ++index;
    term = entry.term;
    part.entries.push_back(std::move(entry));
  }
  parts.push_back(std::move(part));
  return parts;
}

std::vector<append_request> split_by_size(append_request request, size_t most_bytes) {
  std::vector<append_request> parts;
  auto part = request;
  part.entries.clear();
  size_t bytes = 0;
  auto index = request.previous_index;
  auto term = request.previous_term;
  for (auto& entry : request.entries) {
    const auto size = entry_head_bytes + entry.data->size();
    if (!part.entries.empty() && bytes + size > most_bytes) {
      parts.push_back(std::move(part));
      part = {request.term, index, term, request.leader_commit, {}};
      bytes = 0;
    }
    ++index;
    term = entry.term;
    bytes += size;
    part.entries.push_back(std::move(entry));
  }
  parts.push_back(std::move(part));
  return parts;
}

} // namespace novacron
