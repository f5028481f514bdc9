#include "storage/local/snapshot_fetch.hpp"

#include "storage/errors.hpp"

#include <utility>

namespace novacron {

namespace {

constexpr std::chrono::milliseconds pause{200};
constexpr int most_failures = 25;

} // namespace

void snapshot_fetch::begin(node_id from, const raft_snapshot& snapshot,
                           std::function<void(bool)> done) {
  auto reference = read_snapshot_reference(snapshot.reference);
  from_ = from;
  done_ = std::move(done);
  next_ = {snapshot.reference, {}};
  failures_ = 0;
  retry_at_.reset();
  ++attempt_;
  if (!reference || reference->mark.index != snapshot.index || !transport_) {
    queue_->post([this, attempt = attempt_](bool stopping) {
      if (!stopping)
        answered(attempt, make_failure(storage_errc::stopped, "the offer cannot be read"));
    });
    return;
  }
  reference_ = *reference;
  staging_.begin();
  ask();
}

void snapshot_fetch::poll(clock::time_point now) {
  if (retry_at_ && now >= *retry_at_) {
    retry_at_.reset();
    ask();
  }
}

void snapshot_fetch::ask() {
  auto came
      = [this, attempt = ++attempt_, queue = std::weak_ptr{queue_}](result<snapshot_chunk> chunk) {
          // Without an inbox there is no replica, and no `this`.
          if (auto living = queue.lock())
            living->post([this, attempt, got = std::move(chunk)](bool stopping) {
              if (!stopping)
                answered(attempt, got);
            });
        };
  transport_->fetch(from_, next_, std::move(came));
}

void snapshot_fetch::answered(uint64_t attempt, const result<snapshot_chunk>& chunk) {
  if (attempt != attempt_ || !done_)
    return;
  if (!chunk && chunk.error().code == storage_errc::stopped) {
    end(false); // not offered any more
    return;
  }
  if (!chunk || !staging_.add(*chunk)) {
    if (++failures_ == most_failures)
      end(false);
    else
      retry_at_ = clock::now() + pause;
    return;
  }
  failures_ = 0;
  if (chunk->next.empty()) {
    end(true);
    return;
  }
  next_.from = chunk->next;
  ask();
}

void snapshot_fetch::end(bool complete) {
  retry_at_.reset();
  std::exchange(done_, nullptr)(complete);
}

} // namespace novacron
