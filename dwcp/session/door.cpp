#include "dwcp/session/door.hpp"

#include "dwcp/session/limits.hpp"
#include "dwcp/session/used_up.hpp"
#include "dwcp/transport/sockets.hpp"

#include <exception>
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
    : tls_{std::move(tls)}, expected_{std::make_shared<expected_sessions>()},
      reception_{std::move(listener), session_limits::half_open_connections,
                 [this](descriptor socket, const wakeup& closing) {
                   welcome(std::move(socket), closing);
                 }} {
  // nop
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

void door::welcome(descriptor socket, const wakeup& closing) {
  const auto until = std::chrono::steady_clock::now() + session_limits::opening;
  try {
    tune_stream(socket);
    const auto wire = std::make_shared<wire_counter>();
    auto stream
        = std::make_unique<tls_stream>(tls_, std::move(socket), tls_stream::end::server, wire);
    const auto led = lead_in(stream, wire, closing, until);
    if (led)
      return;
    // Nodes of the cluster hear why; strangers have had TLS's alert.
    if (stream->established())
      (void)stream->write_frame(abort_frame(0, led.error()), closing, until);
    stream->close_write();
    // Who said nothing has sent nothing that could be unread, and gets no more time.
    if (led.error().code != dwcp_errc::timed_out)
      stream->drain(closing, std::chrono::steady_clock::now() + session_limits::farewell);
  } catch (const std::exception&) {
    // A connection that we can't serve is closed.
  }
}

result<void> door::lead_in(std::unique_ptr<tls_stream>& stream,
                           const std::shared_ptr<wire_counter>& wire, const wakeup& closing,
                           deadline until) {
  const auto peer = stream->handshake(closing, until);
  if (!peer)
    return peer.error();
  const auto first = stream->read_frame(closing, session_limits::opening, until);
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

} // namespace novacron
