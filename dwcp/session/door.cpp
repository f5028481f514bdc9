#include "dwcp/session/door.hpp"

#include "dwcp/session/limits.hpp"
#include "dwcp/session/session_thread.hpp"
#include "dwcp/session/used_up.hpp"

#include <cerrno>
#include <exception>
#include <poll.h>
#include <utility>

namespace novacron {

namespace {

/// What `expect` gives: ends the expectation, and the session, when it goes.
class expected_receiver final : public page_receiver {
public:
  expected_receiver(std::shared_ptr<expected_sessions> expected,
                    std::shared_ptr<receiving_session> session)
      : expected_{std::move(expected)}, session_{std::move(session)} {
    // nop
  }
  ~expected_receiver() override {
    expected_->remove(session_->ticket().migration);
    session_->stop();
  }

  [[nodiscard]] session_statistics statistics() const override { return session_->statistics(); }
  void cancel(std::string reason) override { session_->cancel(reason); }

private:
  std::shared_ptr<expected_sessions> expected_;
  std::shared_ptr<receiving_session> session_;
};

} // namespace

bool expected_sessions::add(migration_id migration,
                            const std::shared_ptr<receiving_session>& session) {
  const std::scoped_lock lock{mutex_};
  return sessions_.try_emplace(migration, session).second;
}

void expected_sessions::remove(migration_id migration) {
  const std::scoped_lock lock{mutex_};
  sessions_.erase(migration);
}

std::shared_ptr<receiving_session> expected_sessions::find(migration_id migration) {
  const std::scoped_lock lock{mutex_};
  const auto found = sessions_.find(migration);
  return found == sessions_.end() ? nullptr : found->second.lock();
}

door::door(tls_context tls, descriptor listener)
    : tls_{std::move(tls)}, listener_{std::move(listener)}, port_{local_port(listener_)},
      expected_{std::make_shared<expected_sessions>()} {
  listening_ = start_session_thread([this] { welcome_all(); });
}

door::~door() {
  closing_.raise();
  listening_.join();
  for (auto& each : visitors_)
    each.thread.join();
}

result<std::unique_ptr<page_receiver>>
door::expect(const session_ticket& ticket, const receive_options& options, session_end end) {
  try {
    auto session = std::make_shared<receiving_session>(ticket, options, std::move(end));
    if (!expected_->add(ticket.migration, session))
      return make_failure(dwcp_errc::too_many, "migration " + to_string(ticket.migration)
                                                   + ": its pages are expected already; let the "
                                                     "earlier receiver go first");
    auto receiver = std::make_unique<expected_receiver>(expected_, session);
    session->start();
    return receiver;
  } catch (const std::exception& why) {
    return used_up("page session", why);
  }
}

void door::welcome_all() {
  while (wait_for(listener_.get(), POLLIN, closing_, deadline::max()) == readiness::ready) {
    sweep();
    auto socket = accept_one(listener_);
    // No descriptor to be had: who knocks waits in the kernel's queue, and we don't spin.
    if (!socket && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
      wait_for(-1, 0, closing_, std::chrono::steady_clock::now() + session_limits::accept_again);
    if (!socket || visitors_.size() >= session_limits::half_open_connections)
      continue; // closed: strangers must not use up what sessions need
    auto& x = visitors_.emplace_back();
    try {
      x.thread = start_session_thread(
          [this, &x, taken = std::make_shared<descriptor>(std::move(socket))] {
            welcome(std::move(*taken));
            x.gone = true;
          });
    } catch (const std::exception&) {
      visitors_.pop_back(); // no thread to be had
    }
  }
}

void door::welcome(descriptor socket) {
  const auto until = std::chrono::steady_clock::now() + session_limits::opening;
  try {
    tune_stream(socket);
    const auto wire = std::make_shared<wire_counter>();
    auto stream
        = std::make_unique<tls_stream>(tls_, std::move(socket), tls_stream::end::server, wire);
    const auto led = lead_in(stream, wire, until);
    if (led)
      return;
    // Nodes of the cluster hear why; strangers have had TLS's alert.
    if (stream->established())
      (void)stream->write_frame(abort_frame(0, led.error()), closing_, until);
    stream->close_write();
    // Who said nothing has sent nothing that could be unread, and gets no more time.
    if (led.error().code != dwcp_errc::timed_out)
      stream->drain(closing_, std::chrono::steady_clock::now() + session_limits::farewell);
  } catch (const std::exception&) {
    // A connection that we can't serve is closed.
  }
}

result<void> door::lead_in(std::unique_ptr<tls_stream>& stream,
                           const std::shared_ptr<wire_counter>& wire, deadline until) {
  const auto peer = stream->handshake(closing_, until);
  if (!peer)
    return peer.error();
  const auto first = stream->read_frame(closing_, session_limits::opening, until);
  if (!first)
    return first.error();
  if (first->header.kind != frame_kind::open)
    return make_failure(dwcp_errc::malformed, "connection: its first frame opens no session");
  const auto request = decode_open_request(first->payload);
  if (!request)
    return request.error();
  const auto expected = expected_->find(request->ticket.migration);
  if (!expected)
    return make_failure(dwcp_errc::unauthorised,
                        "migration " + to_string(request->ticket.migration)
                            + ": nobody expects its pages here; start it again");
  if (peer->node != expected->ticket().source)
    return make_failure(dwcp_errc::unauthorised, "migration " + to_string(request->ticket.migration)
                                                     + ": the certificate names node "
                                                     + to_string(peer->node)
                                                     + ", which is not its source");
  return expected->adopt(stream, first->header, *request, wire, until);
}

/// Joins the threads of connections that found their session or were closed.
void door::sweep() {
  for (auto x = visitors_.begin(); x != visitors_.end();) {
    if (x->gone) {
      x->thread.join();
      x = visitors_.erase(x);
    } else {
      ++x;
    }
  }
}

} // namespace novacron
