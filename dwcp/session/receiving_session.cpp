#include "dwcp/session/receiving_session.hpp"

#include "dwcp/kept_memory/kept_memory.hpp"
#include "dwcp/session/limits.hpp"
#include "dwcp/session/used_up.hpp"
#include "dwcp/transport/session_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <poll.h>
#include <sys/socket.h>
#include <utility>

namespace novacron {

namespace {

std::chrono::steady_clock::time_point now() {
  return std::chrono::steady_clock::now();
}

failure broken(const std::string& why) {
  return make_failure(dwcp_errc::stream_broken,
                      "incoming guest's stream: " + why + "; see the destination's QEMU log");
}

} // namespace

receiving_session::receiving_session(const session_ticket& ticket, receive_options options,
                                     session_end end)
    : ticket_{ticket}, options_{std::move(options)}, end_{std::move(end)},
      queue_{options_.queue_bytes} {
  // nop
}

receiving_session::~receiving_session() {
  stop();
}

void receiving_session::start() {
  main_ = start_session_thread([this] { run(); });
}

void receiving_session::stop() {
  cancel("its owner let it go");
  const std::scoped_lock lock{joining_};
  if (main_.joinable())
    main_.join();
}

session_statistics receiving_session::statistics() const {
  const std::scoped_lock lock{mutex_};
  auto x = statistics_;
  for (const auto& wire : wires_)
    x.wire_bytes += wire->total();
  if (!x.chain_ok) // else as many as there were when all was said
    x.streams = streams_ ? streams_->size() : 0;
  x.reconnects = reconnects_;
  return x;
}

void receiving_session::cancel(const std::string& reason) {
  outcome_.fail(make_failure(dwcp_errc::cancelled, "page session: cancelled: " + reason));
  const std::scoped_lock lock{mutex_};
  room_.notify_all();
}

void receiving_session::run() {
  try {
    if (const auto done = work(); !done)
      outcome_.fail(done.error());
  } catch (const std::exception& why) {
    outcome_.fail(used_up("incoming guest's pages", why));
  }
  guest_.reset();
  const auto failed = finished_ ? std::nullopt : outcome_.why();
  if (recorder_)
    recorder_->end(!failed);
  {
    const std::scoped_lock adopting{adopting_};
    const std::scoped_lock lock{mutex_};
    closed_ = true;
    room_.notify_all();
  }
  // From here on nobody adds to the streams.
  if (streams_) {
    // The source closes first: it has to read that we are done before it finds
    // a connection closed.
    if (!failed)
      streams_->await_ends(now() + session_limits::farewell);
    streams_->farewell(failed ? std::optional{abort_frame(session_, *failed)} : std::nullopt);
    streams_->close(now() + session_limits::farewell);
  }
  if (failed)
    end_(*failed);
  else
    end_(statistics());
}

result<void> receiving_session::work() {
  for (bool opened = false; !opened;) {
    wait_for(-1, 0, outcome_.nudge(), deadline::max());
    outcome_.nudge().clear();
    if (const auto why = outcome_.why())
      return *why;
    const std::scoped_lock lock{mutex_};
    opened = streams_ != nullptr;
    if (opened)
      decoder_.emplace(session_seed(ticket_), terms_.store_bytes, terms_.lanes);
  }
  auto guest = connect_unix(options_.stream_socket);
  if (!guest)
    return guest.error();
  guest_ = std::move(*guest);
  keep_and_lend();
  return carry();
}

void receiving_session::keep_and_lend() {
  if (!options_.kept)
    return;
  recorder_ = options_.kept->record(options_.guest);
  decoder_->watch(
      [this](page_place place, page_content content) { recorder_->keep(place, content); });
  if (terms_.dialect < batch_dialect::lent_pages)
    return;
  lent_ = options_.kept->lend(options_.guest);
  if (!lent_)
    return;
  decoder_->lend_from(lent_.get());
  lender_.emplace(*lent_, [this] { outcome_.nudge().raise(); });
}

/// A part that is lost with its connection is only not used.
void receiving_session::say_lent() {
  while (lender_ && streams_->queued_first_bytes() < max_lent_bytes) {
    const auto part = lender_->take();
    if (!part)
      break;
    auto x = control(frame_kind::lent);
    x.header.sequence = part->first;
    const auto bytes = std::as_bytes(std::span{part->digests});
    x.payload.assign(bytes.begin(), bytes.end());
    streams_->send_first(std::move(x));
  }
  if (lender_ && lender_->done())
    lender_.reset();
}

result<void> receiving_session::carry() {
  while (!heard_out()) {
    outcome_.nudge().clear();
    if (const auto why = outcome_.why())
      return *why;
    if (auto waited = await_lost(); !waited)
      return waited;
    if (auto written = write_released(); !written)
      return written;
    if (releasing_.empty() && !input_ended_)
      if (auto released = release_next(); !released)
        return released;
    if (!return_ended_)
      if (auto taken = take_return_path(); !taken)
        return taken;
    say_lent();
    if (input_ended_ && return_ended_ && !said_all_at_) {
      say_ended();
      continue;
    }
    if (!said_all_at_ && input_ended_ && now() > ended_at_ + options_.silence_limit)
      return broken("it was delivered, but QEMU keeps the connection open");
    wait_for_work();
  }
  finished_ = true;
  return {};
}

void receiving_session::say_ended() {
  if (!can_resume())
    streams_->expect_ends();
  say(control(frame_kind::ended));
  said_all_at_ = now();
  const std::scoped_lock lock{mutex_};
  statistics_.streams = streams_->size();
  statistics_.chain_ok = true;
}

/// The source closes all connections once it has heard that we are done. Where only the one that
/// took that there has ended, another takes it again.
bool receiving_session::heard_out() const {
  return said_all_at_
         && (!can_resume() || streams_->size() == 0
             || now() > *said_all_at_ + session_limits::farewell);
}

/// Decodes and verifies the next batch, if it is there, and starts to release it.
result<void> receiving_session::release_next() {
  std::optional<frame> next;
  {
    const std::scoped_lock lock{mutex_};
    next = queue_.take();
    room_.notify_all();
  }
  if (!next)
    return {};
  const auto& header = next->header;
  if (header.kind == frame_kind::end)
    return end_release(header);
  const auto decoded
      = decoder_->decode({header.codec, header.raw_bytes, header.chain}, next->payload);
  if (!decoded)
    return decoded.error();
  releasing_ = decoded->raw;
  acknowledged_ = false;
  {
    const std::scoped_lock lock{mutex_};
    ++statistics_.batches;
    statistics_.guest_bytes += decoded->raw.size();
    statistics_.full_pages += decoded->full_pages;
    statistics_.zero_pages += decoded->zero_pages;
    statistics_.opaque_bytes += decoded->opaque_bytes;
    statistics_.compressed_bytes += next->payload.size();
    statistics_.rounds = std::max(statistics_.rounds, header.round);
  }
  return write_released();
}

result<void> receiving_session::end_release(const frame_header& header) {
  if (header.chain != decoder_->chain())
    return make_failure(dwcp_errc::digest_mismatch,
                        "page session: what was released is not what the source sent; "
                        "start the migration again");
  input_ended_ = true;
  ended_at_ = now();
  // QEMU may have left already.
  ::shutdown(guest_.get(), SHUT_WR);
  return {};
}

result<void> receiving_session::write_released() {
  while (!releasing_.empty()) {
    const auto count
        = ::send(guest_.get(), releasing_.data(), releasing_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
      return {};
    if (count < 0)
      return broken(std::generic_category().message(errno));
    releasing_ = releasing_.subspan(static_cast<size_t>(count));
  }
  if (!acknowledged_) {
    acknowledged_ = true;
    ++released_;
    streams_->acknowledge(control(frame_kind::ack));
  }
  return {};
}

/// A lost connection may be replaced. What it took with it of what we say is said
/// again, all of it, in order: it is little.
result<void> receiving_session::await_lost() {
  {
    const std::scoped_lock lock{mutex_};
    const bool all = std::ranges::all_of(lost_, [&](const auto& x) {
      return input_ended_ || now() > x.second.since + options_.resume_limit;
    });
    const bool alone = streams_->size() == 0;
    if (!lost_.empty() && all && alone && !said_all_at_)
      return lost_.begin()->second.why;
    if (!std::exchange(say_again_, false) || (alone && said_all_at_))
      return {};
  }
  if (said_bytes_ > session_limits::return_bytes)
    return said_all_at_ ? result<void>{}
                        : make_failure(dwcp_errc::stream_broken,
                                       "return path: a connection was lost, and too "
                                       "much was said to say it again");
  for (const auto& x : said_)
    streams_->send_first(x);
  if (acknowledged_ && released_ > 0)
    streams_->acknowledge(control(frame_kind::ack));
  return {};
}

void receiving_session::say(frame x) {
  x.header.records = said_count_++;
  said_bytes_ += x.payload.size() + frame_header_bytes;
  if (said_bytes_ <= session_limits::return_bytes)
    said_.push_back(x);
  streams_->send_first(std::move(x));
}

result<void> receiving_session::take_return_path() {
  while (streams_->queued_first_bytes() < session_limits::return_bytes) {
    auto x = control(frame_kind::return_path);
    x.payload.resize(max_return_bytes);
    const auto count = ::recv(guest_.get(), x.payload.data(), x.payload.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
      return {};
    // A reset: QEMU left without having read all that was released.
    if (count < 0)
      return broken(std::generic_category().message(errno));
    if (count == 0) {
      return_ended_ = true;
      say(control(frame_kind::return_end));
      return {};
    }
    x.payload.resize(static_cast<size_t>(count));
    say(std::move(x));
  }
  return {};
}

void receiving_session::wait_for_work() {
  short events = 0;
  if (!return_ended_ && streams_->queued_first_bytes() < session_limits::return_bytes)
    events |= POLLIN;
  if (!releasing_.empty())
    events |= POLLOUT;
  {
    const std::scoped_lock lock{mutex_};
    if (releasing_.empty() && !input_ended_ && queue_.ready())
      return;
  }
  auto until = now() + options_.silence_limit / 4;
  if (options_.resume_limit.count() > 0)
    until = std::min(until, now() + options_.resume_limit / 4);
  if (said_all_at_)
    until = std::min(until, *said_all_at_ + session_limits::farewell);
  wait_for(events != 0 ? guest_.get() : -1, events, outcome_.nudge(), until);
}

frame receiving_session::control(frame_kind kind) const {
  frame x;
  x.header.kind = kind;
  x.header.session = session_;
  x.header.sequence = released_;
  x.header.chain = decoder_->chain();
  return x;
}

} // namespace novacron
