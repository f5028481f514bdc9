#include "dwcp/session/open_connection.hpp"

#include "dwcp/session/limits.hpp"
#include "dwcp/transport/sockets.hpp"

#include <algorithm>
#include <utility>

namespace novacron {

result<opened_connection> open_connection(const connection_purpose& purpose, uint16_t number,
                                          deadline until) {
  auto socket = connect_tcp(purpose.options.destination_host, purpose.options.destination_port,
                            purpose.stopped, until);
  if (!socket)
    return socket.error();
  tune_stream(*socket);
  auto stream = std::make_unique<tls_stream>(purpose.tls, std::move(*socket),
                                             tls_stream::end::client, purpose.wire);
  const auto peer = stream->handshake(purpose.stopped, until);
  if (!peer)
    return peer.error();
  if (peer->node != purpose.ticket.destination)
    return make_failure(dwcp_errc::unauthorised,
                        "destination of migration " + to_string(purpose.ticket.migration)
                            + ": its certificate names node " + to_string(peer->node)
                            + " instead of " + to_string(purpose.ticket.destination)
                            + "; check the node's address");
  frame open;
  open.header.kind = frame_kind::open;
  open.header.session = purpose.session;
  put_terms(open.header, {newest_dialect, purpose.options.store_bytes, purpose.options.lanes});
  // One beyond those that the session began with names itself the last one.
  const auto streams = std::max(purpose.options.streams, number + 1u);
  open.payload = encode(open_request{purpose.ticket, number, static_cast<uint16_t>(streams)});
  if (auto written = stream->write_frame(open, purpose.stopped, until); !written)
    return written.error();
  const auto answer = stream->read_frame(purpose.stopped, session_limits::opening, until);
  if (!answer) {
    // It may have accepted us already, and would wait for us to come back.
    const wakeup never;
    if (!purpose.spared())
      (void)stream->write_frame(abort_frame(purpose.session, answer.error()), never,
                                std::chrono::steady_clock::now() + session_limits::farewell);
    return answer.error();
  }
  if (answer->header.kind == frame_kind::abort)
    return read_abort(answer->payload);
  if (answer->header.kind != frame_kind::accepted || answer->header.session != purpose.session)
    return make_failure(dwcp_errc::malformed, "destination of migration "
                                                  + to_string(purpose.ticket.migration)
                                                  + ": its first frame doesn't answer ours");
  return opened_connection{std::move(stream),
                           agree(get_terms(answer->header), purpose.options.store_bytes)};
}

} // namespace novacron
