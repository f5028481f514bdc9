#include "dwcp/session/sending_session.hpp"

#include "dwcp/session/limits.hpp"
#include "dwcp/session/session_thread.hpp"
#include "dwcp/transport/open_request.hpp"
#include "dwcp/transport/reorder_queue.hpp"

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
  return make_failure(dwcp_errc::stream_broken, "guest's stream at the source: " + why);
}

} // namespace

sending_session::sending_session(tls_context tls, const session_ticket& ticket,
                                 send_options options, session_end end, descriptor listener)
    : tls_{std::move(tls)}, ticket_{ticket}, options_{std::move(options)}, end_{std::move(end)},
      session_{random_uuid().low}, wire_{std::make_shared<wire_counter>()}, listener_{std::move(
                                                                                listener)},
      streams_{session_,
               options_.silence_limit,
               {[this](frame x) { return arrived(std::move(x)); },
                [this](failure why) { outcome_.fail(std::move(why)); },
                [this] { outcome_.nudge().raise(); }}},
      input_(session_limits::read_bytes) {
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
    outcome_.fail(broken(std::string{why.what()} + "; start the migration again"));
  }
  // QEMU first: on a failure its guest shall go on at once.
  guest_.reset();
  listener_.reset();
  lanes_.reset();
  const auto failed = finished_ ? std::nullopt : outcome_.why();
  streams_.farewell(failed ? std::optional{abort_frame(session_, *failed)} : std::nullopt);
  streams_.close(now() + session_limits::farewell);
  if (failed)
    end_(*failed);
  else
    end_(statistics());
}

result<void> sending_session::work() {
  if (auto accepted = accept_guest(); !accepted)
    return accepted;
  if (auto connected = connect_streams(); !connected)
    return connected;
  return carry();
}

result<void> sending_session::accept_guest() {
  while (!guest_) {
    wait_for(listener_.get(), POLLIN, outcome_.stopped(), deadline::max());
    if (outcome_.failed())
      return *outcome_.why();
    guest_ = accept_one(listener_);
    if (!guest_ && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
      return broken("can't accept QEMU's connection: " + std::generic_category().message(errno)
                    + "; the guest goes on at the source");
  }
  // One connection, no more.
  listener_.reset();
  std::error_code ignored;
  std::filesystem::remove(options_.stream_socket, ignored);
  return {};
}

result<void> sending_session::connect_streams() {
  for (uint16_t i = 0; i < options_.streams; ++i) {
    auto stream = connect_stream(i);
    if (!stream)
      return stream.error();
    streams_.add(std::move(*stream));
  }
  lanes_.emplace(terms_.lanes, options_.compression_level,
                 packing_lanes::callbacks{
                     [this](frame x) {
                       streams_.send(std::move(x));
                       outcome_.nudge().raise();
                     },
                     [this](const std::exception& why) { outcome_.fail(broken(why.what())); }});
  level_.emplace(terms_.lanes, now());
  source_.emplace(session_, session_seed(ticket_), terms_.store_bytes, [this](frame x) {
    if (x.header.kind != frame_kind::batch)
      return streams_.send(std::move(x));
    window_.sent(now());
    lanes_->put(std::move(x));
  });
  return {};
}

result<std::unique_ptr<tls_stream>> sending_session::connect_stream(uint16_t index) {
  const auto until = now() + session_limits::opening;
  auto socket = connect_tcp(options_.destination_host, options_.destination_port,
                            outcome_.stopped(), until);
  if (!socket)
    return socket.error();
  tune_stream(*socket);
  auto stream
      = std::make_unique<tls_stream>(tls_, std::move(*socket), tls_stream::end::client, wire_);
  const auto peer = stream->handshake(outcome_.stopped(), until);
  if (!peer)
    return peer.error();
  if (peer->node != ticket_.destination)
    return make_failure(dwcp_errc::unauthorised,
                        "destination of migration " + to_string(ticket_.migration)
                            + ": its certificate names node " + to_string(peer->node)
                            + " instead of " + to_string(ticket_.destination)
                            + "; check the node's address");
  frame open;
  open.header.kind = frame_kind::open;
  open.header.session = session_;
  put_terms(open.header, {batch_dialect::held_pages, options_.store_bytes, options_.lanes});
  open.payload = encode(open_request{ticket_, index, static_cast<uint16_t>(options_.streams)});
  if (auto written = stream->write_frame(open, outcome_.stopped(), until); !written)
    return written.error();
  const auto answer = stream->read_frame(outcome_.stopped(), session_limits::opening, until);
  if (!answer)
    return answer.error();
  if (answer->header.kind == frame_kind::abort)
    return read_abort(answer->payload);
  if (answer->header.kind != frame_kind::accepted || answer->header.session != session_)
    return make_failure(dwcp_errc::malformed, "destination of migration "
                                                  + to_string(ticket_.migration)
                                                  + ": its first frame doesn't answer ours");
  // All connections get the same answer.
  terms_ = agree(get_terms(answer->header), options_.store_bytes);
  return stream;
}

result<void> sending_session::carry() {
  last_input_ = now();
  for (;;) {
    outcome_.nudge().clear();
    if (outcome_.failed())
      return *outcome_.why();
    if (auto absorbed = absorb(); !absorbed)
      return absorbed;
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
  if (mail.acknowledgement) {
    const auto& ack = *mail.acknowledgement;
    const auto before = source_->frames_under_way();
    if (auto account = source_->acknowledge(ack.sequence, ack.chain); !account)
      return account;
    window_.acknowledged(before - source_->frames_under_way(), now());
    choose_level();
  }
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

/// An end that knows no streams begun anew keeps the level that it began with.
void sending_session::choose_level() {
  if (options_.compression_level == 0 || terms_.dialect == batch_dialect::plain_pages)
    return;
  level_->note(window_.full() || streams_.queued_bytes() > 0);
  lanes_->set_level(level_->choose(lanes_->work(), now()));
}

result<void> sending_session::take_input() {
  const auto count = ::recv(guest_.get(), input_.data(), input_.size(), 0);
  if (count > 0) {
    last_input_ = now();
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
  const bool quiet
      = now() - last_input_ >= session_limits::flush_after && lanes_->idle() && streams_.idle();
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
  wait_for(fd, events, outcome_.nudge(),
           now() + (soon ? session_limits::flush_after : options_.silence_limit / 4));
}

bool sending_session::input_waits() const {
  pollfd p{guest_.get(), POLLIN, 0};
  return !input_ended_ && ::poll(&p, 1, 0) > 0;
}

bool sending_session::wants_input() const {
  return !input_ended_ && !lanes_->full() && streams_.queued_bytes() < options_.queue_bytes
         && !window_.full() && source_->frames_under_way() + 1 < max_frames_under_way;
}

/// On a reader's thread.
result<void> sending_session::arrived(frame x) {
  {
    const std::scoped_lock lock{mutex_};
    switch (x.header.kind) {
    case frame_kind::ack:
      if (!mailbox_.acknowledgement || mailbox_.acknowledgement->sequence < x.header.sequence)
        mailbox_.acknowledgement = x.header;
      break;
    case frame_kind::return_path:
      if (mailbox_.return_bytes.size() + gate_backlog_ > session_limits::return_bytes)
        return make_failure(dwcp_errc::too_many,
                            "return path: more than " + std::to_string(session_limits::return_bytes)
                                + " bytes wait for the source's QEMU, which doesn't read them");
      mailbox_.return_bytes.insert(mailbox_.return_bytes.end(), x.payload.begin(), x.payload.end());
      break;
    case frame_kind::return_end:
      mailbox_.return_ended = true;
      break;
    case frame_kind::ended:
      mailbox_.ended = x.header.chain;
      break;
    default:
      return make_failure(dwcp_errc::malformed, "frame: a destination doesn't send this kind");
    }
  }
  outcome_.nudge().raise();
  return {};
}

void sending_session::publish_statistics() {
  const auto& seen = source_->splitter().statistics();
  const std::scoped_lock lock{mutex_};
  statistics_.guest_bytes = seen.bytes;
  statistics_.zero_pages = seen.zero_pages;
  statistics_.full_pages = seen.full_pages;
  statistics_.same_pages = source_->decisions().same;
  statistics_.changed_pages = source_->decisions().changed;
  statistics_.opaque_bytes = seen.all_opaque_bytes();
  statistics_.rounds = seen.rounds;
  statistics_.batches = source_->batches();
  statistics_.compressed_bytes = lanes_->work().packed_bytes;
}

} // namespace novacron
