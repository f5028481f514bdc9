#include "storage/local/inbox.hpp"

#include "storage/local/entry_packing.hpp"

#include <utility>

namespace novacron {

namespace {

constexpr size_t most_message_queue_bytes = 8u << 20;

} // namespace

std::vector<command_outcome> all_refused(size_t count, command_errc why,
                                         const std::string& detail) {
  command_outcome refused;
  refused.error = why;
  refused.detail = detail;
  return std::vector<command_outcome>(count, refused);
}

void inbox::propose(waiting_proposal proposal) {
  proposal.size_bytes = approximate_size(proposal.commands);
  std::string refusal;
  {
    std::lock_guard guard{mutex_};
    if (proposal.size_bytes > most_proposal_bytes)
      refusal = "the proposal is larger than " + std::to_string(most_proposal_bytes >> 10)
                + " KiB; split it";
    else if (bytes_ + proposal.size_bytes > most_bytes_)
      refusal = std::to_string(bytes_ >> 10) + " KiB of commands wait already; come back later";
    if (refusal.empty()) {
      bytes_ += proposal.size_bytes;
      proposals_.push_back(std::move(proposal));
    } else {
      waiting_proposal refused;
      refused.done = [done = std::move(proposal.done), count = proposal.commands.size(), refusal](
                         auto&&) { done(all_refused(count, command_errc::overloaded, refusal)); };
      other_.refused.push_back(std::move(refused));
    }
  }
  more_.notify_one();
}

void inbox::barrier(barrier_callback done) {
  {
    std::lock_guard guard{mutex_};
    other_.barriers.push_back(std::move(done));
  }
  more_.notify_one();
}

void inbox::receive(received message, size_t size_bytes) {
  {
    std::lock_guard guard{mutex_};
    if (message_bytes_ + size_bytes > most_message_queue_bytes)
      return;
    message_bytes_ += size_bytes;
    other_.messages.push_back(std::move(message));
  }
  more_.notify_one();
}

void inbox::post(std::function<void(bool)> call) {
  {
    std::lock_guard guard{mutex_};
    other_.calls.push_back(std::move(call));
  }
  more_.notify_one();
}

void inbox::stored(uint64_t index, uint64_t term) {
  {
    std::lock_guard guard{mutex_};
    other_.stored = {index, term};
  }
  more_.notify_one();
}

void inbox::stop() {
  {
    std::lock_guard guard{mutex_};
    other_.stop = true;
  }
  more_.notify_one();
}

inbox::work inbox::take(clock::time_point deadline, size_t most_bytes) {
  std::unique_lock lock{mutex_};
  more_.wait_until(lock, deadline, [&] {
    return !proposals_.empty() || !other_.refused.empty() || !other_.barriers.empty()
           || !other_.messages.empty() || !other_.calls.empty() || other_.stored || other_.stop;
  });
  auto taken = std::exchange(other_, {});
  message_bytes_ = 0;
  size_t bytes = 0;
  while (!proposals_.empty() && (bytes < most_bytes || taken.stop)) {
    bytes += proposals_.front().size_bytes;
    taken.proposals.push_back(std::move(proposals_.front()));
    proposals_.pop_front();
  }
  return taken;
}

void inbox::release(size_t bytes) {
  std::lock_guard guard{mutex_};
  bytes_ -= bytes;
}

} // namespace novacron
