#include "dwcp/session/stream_set.hpp"

#include "dwcp/session/used_up.hpp"
#include "dwcp/transport/session_thread.hpp"

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

/// Another connection may take this one's place.
bool is_loss(const failure& why) {
  return why.code == dwcp_errc::stream_broken || why.code == dwcp_errc::timed_out;
}

/// An alert on a connection that was accepted is no refusal: its bytes were damaged
/// on the way, here or there.
failure on_accepted(failure why) {
  if (why.code == dwcp_errc::unauthorised)
    why.code = dwcp_errc::stream_broken;
  return why;
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

void stream_set::add(uint16_t number, std::unique_ptr<tls_stream> stream) {
  const std::scoped_lock lock{mutex_};
  if (farewell_)
    return;
  auto made = std::make_unique<connection>(number);
  auto& x = *made;
  x.stream = std::move(stream);
  take_control(x);
  connections_[number] = std::move(made);
  try {
    x.reader = start_session_thread([this, &x] { read_all(x); });
    x.writer = start_session_thread([this, &x] { write_all(x); });
  } catch (...) {
    // Without both it carries nothing, and must not seem to.
    x.lost = x.write_ended = true;
    x.read_ended = !x.reader.joinable();
    x.stop.raise();
    x.stream->sever();
    choose_first();
    throw;
  }
  choose_first();
}

void stream_set::drop(uint16_t number) {
  std::unique_lock lock{mutex_};
  const auto found = connections_.find(number);
  if (found == connections_.end())
    return;
  auto& x = *found->second;
  lock.unlock();
  lose(x, make_failure(dwcp_errc::stream_broken, "another connection takes its place"));
  // Where ends are expected that was no loss, but its threads must go all the same.
  lock.lock();
  x.lost = true;
  changed_.notify_all();
  lock.unlock();
  x.stop.raise();
  if (x.stream)
    x.stream->sever();
  join(x);
}

void stream_set::send(frame x) {
  const std::scoped_lock lock{mutex_};
  const auto shared = std::make_shared<const frame>(std::move(x));
  queued_bytes_ += size_of(*shared);
  queue_.push_back(shared);
  if (keeping_)
    kept_.keep(shared);
  changed_.notify_all();
}

void stream_set::keep_frames() {
  const std::scoped_lock lock{mutex_};
  keeping_ = true;
}

void stream_set::acknowledged(uint64_t sequence) {
  const std::scoped_lock lock{mutex_};
  kept_.acknowledged(sequence);
  if (repeat_after_) // another frame is the one that the peer waits for
    changed_.notify_all();
}

void stream_set::repeat_after(std::chrono::steady_clock::duration age) {
  const std::scoped_lock lock{mutex_};
  if (std::exchange(repeat_after_, age) != age)
    changed_.notify_all();
}

void stream_set::send_first(frame x) {
  const std::scoped_lock lock{mutex_};
  first_queue_.push_back(std::make_shared<const frame>(std::move(x)));
  queued_first_bytes_ += size_of(*first_queue_.back());
  changed_.notify_all();
}

void stream_set::acknowledge(frame x) {
  const std::scoped_lock lock{mutex_};
  acknowledgement_ = std::make_shared<const frame>(std::move(x));
  changed_.notify_all();
}

void stream_set::let_carry(unsigned connections) {
  const std::scoped_lock lock{mutex_};
  if (std::exchange(carrying_, connections) < connections)
    changed_.notify_all();
}

uint32_t stream_set::size() const {
  const std::scoped_lock lock{mutex_};
  return static_cast<uint32_t>(
      std::ranges::count_if(connections_, [](const auto& x) { return !x.second->lost; }));
}

size_t stream_set::kept_bytes() const {
  const std::scoped_lock lock{mutex_};
  return kept_.bytes();
}

uint64_t stream_set::repeats() const {
  const std::scoped_lock lock{mutex_};
  return kept_.repeats();
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
  // What a slow connection still writes is no work of the link's once another has it, too.
  return queue_.empty() && std::ranges::none_of(connections_, [this](const auto& x) {
           const auto& [number, its] = x;
           return its->writing
                  && (!keeping_ || kept_.only_on(its->writing->header.sequence, number));
         });
}

void stream_set::farewell(std::optional<frame> last_words) {
  const std::scoped_lock lock{mutex_};
  if (farewell_)
    return;
  farewell_ = ending_ = true;
  farewell_until_ = now() + farewell_limit;
  queue_.clear();
  if (last_words) {
    first_queue_.clear();
    acknowledgement_.reset();
  }
  last_words_ = std::move(last_words);
  changed_.notify_all();
}

void stream_set::expect_ends() {
  const std::scoped_lock lock{mutex_};
  ending_ = true;
}

void stream_set::await_ends(deadline until) {
  std::unique_lock lock{mutex_};
  changed_.wait_until(lock, until, [&] {
    return std::ranges::all_of(connections_, [](const auto& x) { return x.second->read_ended; });
  });
}

void stream_set::close(deadline until) {
  {
    std::unique_lock lock{mutex_};
    changed_.wait_until(lock, until, [&] {
      return std::ranges::all_of(connections_, [](const auto& x) {
        return x.second->read_ended && x.second->write_ended;
      });
    });
  }
  // No connection is added after the farewell.
  for (auto& [number, x] : connections_) {
    x->stop.raise();
    join(*x);
  }
}

void stream_set::join(connection& x) {
  if (x.reader.joinable())
    x.reader.join();
  if (x.writer.joinable())
    x.writer.join();
  x.stream.reset();
}

void stream_set::read_all(connection& x) {
  try {
    for (;;) {
      auto arrived = x.stream->read_frame(x.stop, silence_limit_);
      if (!arrived) {
        const auto why = on_accepted(arrived.error());
        if (is_loss(why))
          lose(x, why);
        else if (!is_lost(x)) // else it was told to leave its wait
          calls_.failed(why);
        break;
      }
      const auto& header = arrived->header;
      // A door that refuses doesn't know the session, but it has a reason.
      if (header.kind == frame_kind::abort) {
        calls_.failed(read_abort(arrived->payload));
        continue;
      }
      if (header.session != session_) {
        calls_.failed(make_failure(dwcp_errc::malformed, "frame: it is of another session"));
        break;
      }
      if (header.kind == frame_kind::keepalive)
        continue;
      {
        const std::scoped_lock lock{mutex_};
        if (x.lost)
          break;
        if (farewell_)
          continue;
      }
      if (auto taken = calls_.arrived(x.number, std::move(*arrived)); !taken)
        calls_.failed(taken.error());
    }
  } catch (const std::exception& why) {
    calls_.failed(used_up("page session", why));
  }
  const std::scoped_lock lock{mutex_};
  x.read_ended = true;
  changed_.notify_all();
}

void stream_set::write_all(connection& x) {
  try {
    write_frames(x);
  } catch (const std::exception& why) {
    calls_.failed(used_up("page session", why));
  }
  const std::scoped_lock lock{mutex_};
  x.write_ended = true;
  changed_.notify_all();
}

void stream_set::write_frames(connection& x) {
  std::unique_lock lock{mutex_};
  while (const auto next = next_frame(lock, x)) {
    x.writing = next;
    const auto until = farewell_until_;
    lock.unlock();
    const auto written = x.stream->write_frame(*next, x.stop, until);
    lock.lock();
    x.writing = nullptr;
    lock.unlock();
    if (!written) {
      write_failed(x, on_accepted(written.error()));
      return;
    }
    calls_.progressed();
    lock.lock();
  }
  const auto last_words = x.lost ? std::nullopt : last_words_;
  lock.unlock();
  if (last_words)
    (void)x.stream->write_frame(*last_words, x.stop, now() + farewell_limit);
  x.stream->close_write();
}

/// Waits for the next frame of this connection; none after the last.
shared_frame stream_set::next_frame(std::unique_lock<std::mutex>& lock, const connection& x) {
  const auto keepalive_at = now() + silence_limit_ / 4;
  for (;;) {
    if (x.lost)
      return nullptr;
    if (auto next = take_frame(x))
      return next;
    if (farewell_)
      return nullptr;
    const bool may_repeat = repeat_after_ && carries(x);
    if (auto next = may_repeat ? kept_.repeat(x.number, *repeat_after_, now()) : nullptr)
      return next;
    const auto later = may_repeat ? kept_.repeat_at(x.number, *repeat_after_) : std::nullopt;
    changed_.wait_until(lock, std::min(keepalive_at, later.value_or(keepalive_at)));
    if (now() >= keepalive_at) {
      frame keepalive;
      keepalive.header.session = session_;
      return std::make_shared<const frame>(std::move(keepalive));
    }
  }
}

shared_frame stream_set::take_frame(const connection& x) {
  const bool first = first_ == x.number;
  if (first && acknowledgement_)
    return std::exchange(acknowledgement_, nullptr);
  if (first && !first_queue_.empty()) {
    auto next = std::move(first_queue_.front());
    first_queue_.pop_front();
    queued_first_bytes_ -= size_of(*next);
    return next;
  }
  if (queue_.empty() || !carries(x))
    return nullptr;
  auto next = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= size_of(*next);
  kept_.taken(next->header.sequence, x.number, now());
  return next;
}

/// The peer may have closed because it gave up: its reason is then still to be
/// read, and better than ours.
void stream_set::write_failed(connection& x, const failure& why) {
  {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, farewell_limit, [&] { return x.read_ended || farewell_; });
  }
  lose(x, why);
}

void stream_set::lose(connection& x, const failure& why) {
  {
    const std::scoped_lock lock{mutex_};
    if (ending_ || std::exchange(x.lost, true))
      return;
    queue_again(x.number);
    choose_first();
    carrying_ = std::numeric_limits<unsigned>::max();
    changed_.notify_all();
  }
  x.stop.raise();
  x.stream->sever();
  calls_.lost(x.number, why);
}

bool stream_set::is_lost(const connection& x) const {
  const std::scoped_lock lock{mutex_};
  return x.lost;
}

/// What a connection took with it, and nobody carries as well, goes first.
void stream_set::queue_again(uint16_t carrier) {
  const auto again = kept_.lost(carrier);
  for (auto x = again.rbegin(); x != again.rend(); ++x) {
    queued_bytes_ += size_of(**x);
    queue_.push_front(*x);
  }
}

/// Stays as it is as long as it isn't lost, so that what goes there keeps its order.
void stream_set::choose_first() {
  if (first_ && !connections_.at(*first_)->lost)
    return;
  first_.reset();
  for (const auto& [number, x] : connections_)
    if (!x->lost && !first_)
      first_ = number;
}

} // namespace novacron
