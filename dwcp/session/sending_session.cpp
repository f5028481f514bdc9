#include "dwcp/session/sending_session.hpp"

#include "dwcp/kept_memory/kept_memory.hpp"
#include "dwcp/session/limits.hpp"
#include "dwcp/session/used_up.hpp"
#include "dwcp/transport/reorder_queue.hpp"
#include "dwcp/transport/session_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
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
  return make_failure(dwcp_errc::stream_broken, "guest's stream at the source: " + why);
}

/// Of a payload of whole digests.
std::vector<page_digest> digests_in(std::span<const std::byte> payload) {
  std::vector<page_digest> digests(payload.size() / sizeof(page_digest));
  std::memcpy(digests.data(), payload.data(), digests.size() * sizeof(page_digest));
  return digests;
}

} // namespace

sending_session::sending_session(tls_context tls, const session_ticket& ticket,
                                 send_options options, session_end end, descriptor listener)
    : tls_{std::move(tls)}, ticket_{ticket}, options_{std::move(options)}, end_{std::move(end)},
      session_{random_uuid().low}, wire_{std::make_shared<wire_counter>()}, listener_{std::move(
                                                                                listener)},
      streams_{session_,
               options_.silence_limit,
               {[this](uint16_t, frame x) { return arrived(std::move(x)); },
                [this](uint16_t connection, failure why) { lost(connection, std::move(why)); },
                [this](failure why) { outcome_.fail(std::move(why)); },
                [this] { outcome_.nudge().raise(); }}},
      plan_{options_.resume_limit}, input_(session_limits::read_bytes) {
  main_ = start_session_thread([this] { run(); });
}

sending_session::~sending_session() {
  cancel("its owner let it go");
  main_.join();
}

session_statistics sending_session::statistics() const {
  const std::scoped_lock lock{mutex_};
  auto x = statistics_;
  x.wire_bytes = wire_->total();
  x.streams = streams_.size();
  return x;
}

void sending_session::cancel(std::string reason) {
  outcome_.fail(make_failure(dwcp_errc::cancelled, "page session: cancelled: " + reason));
}

void sending_session::run() {
  try {
    if (const auto done = work(); !done)
      outcome_.fail(done.error());
  } catch (const std::exception& why) {
    outcome_.fail(used_up("guest's pages at the source", why));
  }
  // QEMU first: on a failure its guest shall go on at once.
  guest_.reset();
  listener_.reset();
  lanes_.reset();
  // The destination may count on a connection that we haven't used yet: it hears why, too.
  if (opener_)
    for (auto& each : opener_->stop())
      if (each.outcome)
        static_cast<void>(use(each.number, std::move(each.outcome->stream)));
  const auto failed = finished_ ? std::nullopt : outcome_.why();
  if (recorder_)
    recorder_->end(!failed);
  streams_.farewell(failed ? std::optional{abort_frame(session_, *failed)} : std::nullopt);
  streams_.close(now() + session_limits::farewell);
  if (failed)
    end_(*failed);
  else
    end_(statistics());
}

result<void> sending_session::work() {
  begin_connecting();
  while (!guest_ || connected_ < options_.streams) {
    outcome_.nudge().clear();
    if (outcome_.failed())
      return *outcome_.why();
    if (auto accepted = accept_guest(); !accepted)
      return accepted;
    if (auto taken = take_connections(); !taken)
      return taken;
    if (!guest_ || connected_ < options_.streams)
      wait_for(guest_ ? -1 : listener_.get(), POLLIN, outcome_.nudge(), deadline::max());
  }
  begin_carrying();
  return carry();
}

/// If it has come.
result<void> sending_session::accept_guest() {
  if (guest_)
    return {};
  guest_ = accept_one(listener_);
  if (!guest_ && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
    return broken("can't accept QEMU's connection: " + std::generic_category().message(errno)
                  + "; the guest goes on at the source");
  if (!guest_)
    return {};
  // One connection, no more.
  listener_.reset();
  std::error_code ignored;
  std::filesystem::remove(options_.stream_socket, ignored);
  return {};
}

result<void> sending_session::carry() {
  last_input_ = last_heard_ = now();
  for (;;) {
    outcome_.nudge().clear();
    if (outcome_.failed())
      return *outcome_.why();
    if (auto absorbed = absorb(); !absorbed)
      return absorbed;
    if (auto heard = await_destination(); !heard)
      return heard;
    if (auto mended = mend(); !mended)
      return mended;
    if (wants_input() && input_waits()) {
      if (auto taken = take_input(); !taken)
        return taken;
      continue;
    }
    flush_if_quiet();
    if (gate_.holding() && source_->agreed() && !input_waits())
      gate_.open();
    pass_return_path();
    if (input_ended_ && !end_sent_)
      if (auto ended = end_input(); !ended)
        return ended;
    publish_statistics();
    // The return path's last bytes come before the end.
    if (ended_ && return_closed_)
      break;
    if (ended_ && now() - *ended_ > options_.silence_limit)
      return broken("all is done, but QEMU doesn't take the return path's last bytes");
    wait_for_work();
  }
  const std::scoped_lock lock{mutex_};
  statistics_.chain_ok = true;
  finished_ = true;
  return {};
}

result<void> sending_session::absorb() {
  mailbox mail;
  {
    const std::scoped_lock lock{mutex_};
    mail = std::exchange(mailbox_, {});
  }
  const auto& seen = source_->splitter();
  if (seen.memory_complete()) // the guest stands still for what is left
    streams_.repeat_after({});
  for (const auto& [sequence, bytes] : mail.packed)
    window_.packed(sequence, bytes);
  if (mail.acknowledgement) {
    const auto& ack = *mail.acknowledgement;
    const auto before = source_->frames_under_way();
    if (auto account = source_->acknowledge(ack.sequence, ack.chain); !account)
      return account;
    window_.acknowledged(before - source_->frames_under_way(), now());
    streams_.acknowledged(ack.sequence);
    if (const auto longest = window_.longest_flight(); longest && !seen.memory_complete())
      streams_.repeat_after(*longest);
    last_acknowledged_ = last_heard_ = now();
    heard_since_loss_ = true;
    choose_level();
    choose_streams();
  }
  if (source_->frames_under_way() == 0)
    last_heard_ = now();
  for (auto& [connection, why] : mail.lost)
    plan_.lost(connection, std::move(why), now());
  // Does the guest run on? Where nothing was heard in between, what was read tells already.
  if (!mail.lost.empty() && std::exchange(heard_since_loss_, false))
    read_ahead_ = 0;
  for (const auto& each : mail.lent)
    if (!source_->lend(each.header.sequence, digests_in(each.payload)))
      return make_failure(dwcp_errc::malformed, "lent pages: their numbers are out of bounds");
  gate_.push(mail.return_bytes);
  {
    const std::scoped_lock lock{mutex_};
    gate_backlog_ = gate_.waiting_bytes();
  }
  if (mail.return_ended)
    gate_.end();
  if (!mail.ended)
    return {};
  if (!end_sent_ || !source_->agreed())
    return make_failure(dwcp_errc::malformed, "page session: the destination ended it too early");
  if (*mail.ended != source_->chain())
    return make_failure(dwcp_errc::digest_mismatch,
                        "page session: the two ends have seen different bytes; "
                        "start the migration again");
  ended_ = now();
  return {};
}

/// A guest that has stopped waits for the destination's node to take what is under way,
/// and then for its QEMU to say whether it has loaded it; for neither without a limit.
result<void> sending_session::await_destination() {
  if (!source_->splitter().completing()) {
    last_acknowledged_ = now();
    return {};
  }
  const auto silent = [](const std::string& who, std::chrono::milliseconds limit) {
    return make_failure(dwcp_errc::timed_out,
                        who + " was silent for " + std::to_string(limit.count())
                            + " ms after the guest had stopped; it goes on at the source");
  };
  // Nothing was under way, or the guest ran: that was no silence.
  const auto heard = std::max(last_acknowledged_, last_heard_);
  if (source_->frames_under_way() > 0 && now() - heard > options_.stopped_limit)
    return silent("the destination", options_.stopped_limit);
  const auto& seen = source_->splitter();
  if (source_->agreed() && seen.memory_complete() && seen.wants_return_path() && !gate_.shut_value()
      && !input_ended_
      && now() - std::max(last_acknowledged_, last_input_) > options_.silence_limit)
    return silent("the destination's QEMU", options_.silence_limit);
  return {};
}

/// An end that knows no streams begun anew keeps the level that it began with.
void sending_session::choose_level() {
  if (!options_.compress || terms_.dialect == batch_dialect::plain_pages)
    return;
  level_->note(link_is_waited_for());
  const auto level = level_->choose(lanes_->work(), now());
  lanes_->set_level(level);
  source_->use_lent(level != 0); // a link that is faster than the codec is faster than digests, too
}

bool sending_session::link_is_waited_for() const {
  return window_.full() || streams_.queued_bytes() > 0;
}

result<void> sending_session::take_input() {
  const auto count = ::recv(guest_.get(), input_.data(), input_.size(), 0);
  if (count > 0) {
    last_input_ = now();
    read_ahead_ += reads_ahead() ? static_cast<size_t>(count) : 0;
    source_->push(std::span{input_}.first(static_cast<size_t>(count)));
    return {};
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return {};
  // A reset says that QEMU left without having read all of the return path.
  if (count < 0 && errno != ECONNRESET)
    return broken(std::generic_category().message(errno) + "; the guest goes on at the source");
  input_ended_ = true;
  last_input_ = now();
  source_->finish();
  return {};
}

/// QEMU has closed its end. Was that the end of its stream?
result<void> sending_session::end_input() {
  if (gate_.shut_value().value_or(0) != 0)
    return broken("the destination could not load the guest; see its QEMU's log");
  if (source_->splitter().memory_seen() && !source_->splitter().memory_complete())
    return broken("it ended in the middle of the guest's memory; see the source's QEMU log");
  if (source_->splitter().wants_return_path() && !gate_.success()) {
    if (now() - last_input_ < options_.silence_limit && !gate_.done())
      return {};
    return broken("it ended, but the destination never said that the guest was loaded; "
                  "see both QEMUs' logs");
  }
  if (source_->agreed()) {
    source_->send_end();
    end_sent_ = true;
  }
  return {};
}

void sending_session::pass_return_path() {
  while (!return_closed_ && !gate_.ready().empty()) {
    const auto bytes = gate_.ready();
    const auto count
        = ::send(guest_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
      return;
    if (count < 0) // QEMU doesn't listen any more; its stream tells whether that is well
      return_closed_ = true;
    else
      gate_.passed(static_cast<size_t>(count));
  }
  if (!return_closed_ && gate_.done()) {
    ::shutdown(guest_.get(), SHUT_WR);
    return_closed_ = true;
  }
}

/// A batch leaves before it is full when nothing more comes and the link has
/// nothing to do; at once when only devices are left, for then the guest waits.
void sending_session::flush_if_quiet() {
  if (source_->ready_bytes() == 0)
    return;
  const bool waits_for_turn = turn_ != deadline::max(); // there may be more, then
  const bool quiet = !waits_for_turn && now() - last_input_ >= session_limits::flush_after
                     && lanes_->idle() && streams_.idle();
  if (quiet || source_->splitter().memory_complete())
    source_->flush();
}

void sending_session::wait_for_work() {
  short events = 0;
  if (wants_input())
    events |= POLLIN;
  if (!return_closed_ && !gate_.ready().empty())
    events |= POLLOUT;
  // Without events a closed socket would wake us for ever.
  const int fd = events != 0 ? guest_.get() : -1;
  const bool soon = source_->ready_bytes() > 0;
  auto until = now() + (soon ? session_limits::flush_after : options_.silence_limit / 4);
  until = std::min({until, now() + options_.stopped_limit / 4, turn_});
  // Nothing is tried again once the guest has stopped.
  if (!source_->splitter().completing())
    until = std::min(until, plan_.next());
  wait_for(fd, events, outcome_.nudge(), until);
}

bool sending_session::input_waits() const {
  pollfd p{guest_.get(), POLLIN, 0};
  return !input_ended_ && ::poll(&p, 1, 0) > 0;
}

/// A connection is lost, or the destination is silent: does the guest still run? What QEMU has
/// written tells.
bool sending_session::reads_ahead() const {
  return !plan_.empty() || now() - last_heard_ > options_.stopped_limit / 2;
}

/// Whether the host's other sessions leave it anything. A guest that has stopped doesn't wait.
bool sending_session::has_its_turn() {
  if (!share_ || source_->splitter().completing())
    return true;
  const auto turn = share_->may_send_at();
  if (turn <= now())
    return true;
  turn_ = turn;
  return false;
}

bool sending_session::wants_input() {
  turn_ = deadline::max();
  if (!input_ended_ && reads_ahead() && read_ahead_ < session_limits::read_ahead_bytes)
    return true;
  return !input_ended_ && !lanes_->full() && streams_.queued_bytes() < options_.queue_bytes
         && !window_.full() && streams_.kept_bytes() < session_limits::kept_bytes
         && source_->frames_under_way() + 1 < max_frames_under_way && has_its_turn();
}

void sending_session::publish_statistics() {
  const auto& seen = source_->splitter().statistics();
  const std::scoped_lock lock{mutex_};
  statistics_.guest_bytes = seen.bytes;
  statistics_.zero_pages = seen.zero_pages;
  statistics_.full_pages = seen.full_pages;
  statistics_.same_pages = source_->decisions().same;
  statistics_.changed_pages = source_->decisions().changed;
  statistics_.lent_pages = source_->decisions().lent;
  statistics_.offered_pages = source_->pages_on_offer();
  statistics_.opaque_bytes = seen.all_opaque_bytes();
  statistics_.raw_bytes = seen.opaque_bytes;
  statistics_.rounds = seen.rounds;
  statistics_.reconnects = reconnects_;
  statistics_.further_streams = further_streams_;
  statistics_.carrying_streams = streams_as_planned_.streams;
  statistics_.congestion_control = streams_.congestion_control();
  statistics_.repeats = streams_.repeats();
  statistics_.batches = source_->batches();
  statistics_.compressed_bytes = lanes_->work().packed_bytes;
}

} // namespace novacron
