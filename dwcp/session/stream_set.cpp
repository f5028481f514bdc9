#include "dwcp/session/stream_set.hpp"

#include "dwcp/session/session_thread.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace novacron {

namespace {

/// How long the last frames may take to leave.
constexpr auto farewell_limit = std::chrono::milliseconds{1'000};

std::chrono::steady_clock::time_point now() {
  return std::chrono::steady_clock::now();
}

failure unexpected(const std::exception& why) {
  return make_failure(dwcp_errc::stream_broken,
                      std::string{"page session: "} + why.what() + "; start the migration again");
}

} // namespace

stream_set::stream_set(uint64_t session, std::chrono::milliseconds silence_limit, callbacks calls)
    : session_{session}, silence_limit_{silence_limit}, calls_{std::move(calls)} {
  // nop
}

stream_set::~stream_set() {
  farewell(std::nullopt);
  close(now());
}

void stream_set::add(std::unique_ptr<tls_stream> stream) {
  const std::scoped_lock lock{mutex_};
  if (farewell_)
    return;
  auto& x = *connections_.emplace_back(std::make_unique<connection>());
  x.stream = std::move(stream);
  const bool first = connections_.size() == 1;
  x.reader = start_session_thread([this, &x] { read_all(x); });
  x.writer = start_session_thread([this, &x, first] { write_all(x, first); });
}

void stream_set::send(frame x) {
  const std::scoped_lock lock{mutex_};
  queued_bytes_ += x.payload.size() + frame_header_bytes;
  queue_.push_back(std::move(x));
  changed_.notify_all();
}

void stream_set::send_first(frame x) {
  const std::scoped_lock lock{mutex_};
  queued_first_bytes_ += x.payload.size() + frame_header_bytes;
  first_queue_.push_back(std::move(x));
  changed_.notify_all();
}

void stream_set::acknowledge(frame x) {
  const std::scoped_lock lock{mutex_};
  acknowledgement_ = std::move(x);
  changed_.notify_all();
}

uint32_t stream_set::size() const {
  const std::scoped_lock lock{mutex_};
  return static_cast<uint32_t>(connections_.size());
}

size_t stream_set::queued_bytes() const {
  const std::scoped_lock lock{mutex_};
  return queued_bytes_;
}

size_t stream_set::queued_first_bytes() const {
  const std::scoped_lock lock{mutex_};
  return queued_first_bytes_;
}

bool stream_set::idle() const {
  const std::scoped_lock lock{mutex_};
  return queue_.empty() && writing_ == 0;
}

void stream_set::farewell(std::optional<frame> last_words) {
  const std::scoped_lock lock{mutex_};
  if (farewell_)
    return;
  farewell_ = true;
  farewell_until_ = now() + farewell_limit;
  queue_.clear();
  if (last_words) {
    first_queue_.clear();
    acknowledgement_.reset();
  }
  last_words_ = std::move(last_words);
  changed_.notify_all();
}

void stream_set::await_ends(deadline until) {
  std::unique_lock lock{mutex_};
  changed_.wait_until(lock, until, [&] {
    return std::ranges::all_of(connections_, [](const auto& x) { return x->read_ended; });
  });
}

void stream_set::close(deadline until) {
  {
    std::unique_lock lock{mutex_};
    changed_.wait_until(lock, until, [&] {
      return std::ranges::all_of(connections_,
                                 [](const auto& x) { return x->read_ended && x->write_ended; });
    });
  }
  broken_.raise();
  // No connection is added after the farewell.
  for (auto& x : connections_) {
    if (x->reader.joinable())
      x->reader.join();
    if (x->writer.joinable())
      x->writer.join();
    x->stream.reset();
  }
}

void stream_set::read_all(connection& x) {
  try {
    for (;;) {
      auto arrived = x.stream->read_frame(broken_, silence_limit_);
      if (!arrived) {
        calls_.broke(arrived.error());
        break;
      }
      const auto& header = arrived->header;
      // A door that refuses doesn't know the session, but it has a reason.
      if (header.kind == frame_kind::abort) {
        calls_.broke(read_abort(arrived->payload));
        continue;
      }
      if (header.session != session_) {
        calls_.broke(make_failure(dwcp_errc::malformed, "frame: it is of another session"));
        break;
      }
      if (header.kind == frame_kind::keepalive)
        continue;
      {
        const std::scoped_lock lock{mutex_};
        if (farewell_)
          continue;
      }
      if (auto taken = calls_.arrived(std::move(*arrived)); !taken)
        calls_.broke(taken.error());
    }
  } catch (const std::exception& why) {
    calls_.broke(unexpected(why));
  }
  const std::scoped_lock lock{mutex_};
  x.read_ended = true;
  changed_.notify_all();
}

void stream_set::write_all(connection& x, bool first) {
  try {
    write_frames(x, first);
  } catch (const std::exception& why) {
    calls_.broke(unexpected(why));
  }
  const std::scoped_lock lock{mutex_};
  x.write_ended = true;
  changed_.notify_all();
}

void stream_set::write_frames(connection& x, bool first) {
  std::unique_lock lock{mutex_};
  while (auto next = next_frame(lock, first)) {
    ++writing_;
    const auto until = farewell_until_;
    lock.unlock();
    const auto written = x.stream->write_frame(*next, broken_, until);
    lock.lock();
    --writing_;
    lock.unlock();
    if (!written) {
      write_failed(x, written.error());
      return;
    }
    calls_.progressed();
    lock.lock();
  }
  const auto last_words = last_words_;
  lock.unlock();
  if (last_words)
    (void)x.stream->write_frame(*last_words, broken_, now() + farewell_limit);
  x.stream->close_write();
}

/// Waits for the next frame of this connection; nothing after the last.
std::optional<frame> stream_set::next_frame(std::unique_lock<std::mutex>& lock, bool first) {
  const auto keepalive_at = now() + silence_limit_ / 4;
  for (;;) {
    if (auto next = take_frame(first))
      return next;
    if (farewell_)
      return std::nullopt;
    if (changed_.wait_until(lock, keepalive_at) == std::cv_status::timeout) {
      frame keepalive;
      keepalive.header.session = session_;
      return keepalive;
    }
  }
}

std::optional<frame> stream_set::take_frame(bool first) {
  if (first && acknowledgement_)
    return std::exchange(acknowledgement_, std::nullopt);
  auto& queue = first && !first_queue_.empty() ? first_queue_ : queue_;
  if (queue.empty())
    return std::nullopt;
  auto& bytes = &queue == &queue_ ? queued_bytes_ : queued_first_bytes_;
  frame next = std::move(queue.front());
  queue.pop_front();
  bytes -= next.payload.size() + frame_header_bytes;
  return next;
}

/// The peer may have closed because it gave up: its reason is then still to be
/// read, and better than ours.
void stream_set::write_failed(connection& x, const failure& why) {
  {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, farewell_limit, [&] { return x.read_ended || farewell_; });
  }
  calls_.broke(why);
}

} // namespace novacron
