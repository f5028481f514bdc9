#pragma once

#include "dwcp/codec/digest_chain.hpp"
#include "dwcp/errors.hpp"
#include "dwcp/session/session.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace novacron {

/// What opens a connection: the ticket, and which of the session's connections
/// this is.
struct open_request {
  session_ticket ticket;
  uint16_t stream = 0;
  uint16_t streams = 0;
};

inline constexpr uint16_t max_streams = 64;

std::vector<std::byte> encode(const open_request& request);
/// `malformed` for another length or an impossible stream.
result<open_request> decode_open_request(std::span<const std::byte> payload);

/// Whether both name the same session and hold the same token. Takes the same
/// time whichever byte of the token differs.
bool same_ticket(const session_ticket& a, const session_ticket& b);

/// Where a session's digests start: batches of another session never fit.
chain_value session_seed(const session_ticket& ticket);

} // namespace novacron
