#pragma once

#include "dwcp/codec/digest_chain.hpp"
#include "dwcp/errors.hpp"
#include "dwcp/session/session.hpp"
#include "dwcp/transport/frame.hpp"

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
inline constexpr uint32_t max_lanes = 16;

/// What batches may be made of. Ends that differ speak the older one.
enum class batch_dialect : uint32_t {
  plain_pages = 1, ///< opaque bytes, pages, zero pages
  held_pages = 2,  ///< also what refers to a page store; lanes, and streams of zstd's begun anew
  lent_pages = 3,  ///< also what refers to pages that the destination lends
};

inline constexpr auto newest_dialect = batch_dialect::lent_pages;

/// What both ends of a session use. The source asks in its `open` frames, the
/// destination decides in its `accepted` ones; both in header fields that the
/// first version of the protocol left unused.
struct session_terms {
  batch_dialect dialect = batch_dialect::plain_pages;
  uint64_t store_bytes = 0; ///< of content that both ends hold
  uint32_t lanes = 1;       ///< on which batches take turns

  friend bool operator==(const session_terms&, const session_terms&) = default;
};

void put_terms(frame_header& header, const session_terms& terms);
/// Of a header without terms, the oldest dialect; of an unknown dialect, the newest.
session_terms get_terms(const frame_header& header);
/// What a destination that holds at most `store_bytes` answers.
session_terms agree(const session_terms& asked, uint64_t store_bytes);

std::vector<std::byte> encode(const open_request& request);
/// `malformed` for another length or an impossible stream.
result<open_request> decode_open_request(std::span<const std::byte> payload);

/// Whether both name the same session and hold the same token. Takes the same
/// time whichever byte of the token differs.
bool same_ticket(const session_ticket& a, const session_ticket& b);

/// Where a session's digests start: batches of another session never fit.
chain_value session_seed(const session_ticket& ticket);

} // namespace novacron
