#pragma once

#include "dwcp/session/session.hpp"
#include "dwcp/transport/open_request.hpp"
#include "dwcp/transport/tls_stream.hpp"

#include <memory>

namespace novacron {

/// What a source knows of the session that a connection is to be part of.
struct connection_purpose {
  const tls_context& tls;
  const session_ticket& ticket;
  const send_options& options;
  uint64_t session;
  const std::shared_ptr<wire_counter>& wire;
  const wakeup& stopped; ///< raised: `cancelled`
  /// Whether the session can go on without this connection, or has ended well: a destination that
  /// may have taken it already, and isn't heard, is told nothing then.
  std::function<bool()> spared;
};

struct opened_connection {
  std::unique_ptr<tls_stream> stream;
  session_terms terms; ///< as both ends agreed
};

/// Connects to the destination's door, checks who it is, and shows the ticket.
/// Blocks. `unreachable`, `unauthorised`, `malformed`, `timed_out`, `cancelled`, or
/// why the destination refuses.
result<opened_connection> open_connection(const connection_purpose& purpose, uint16_t number,
                                          deadline until);

} // namespace novacron
