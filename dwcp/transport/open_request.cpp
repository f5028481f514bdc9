#include "dwcp/transport/open_request.hpp"

#include "messages/big_endian.hpp"
#include "messages/page_record.hpp"

#include <algorithm>
#include <openssl/crypto.h>

namespace novacron {

namespace {

constexpr size_t uuid_bytes = 16;
constexpr size_t token_bytes = 32;
constexpr size_t request_bytes = 3 * uuid_bytes + 4 + 8 + token_bytes + 2 + 2;

void put_uuid(std::vector<std::byte>& out, const uuid& x) {
  put_big_endian(out, x.high);
  put_big_endian(out, x.low);
}

uuid get_uuid(std::span<const std::byte> in) {
  return {get_big_endian<uint64_t>(in), get_big_endian<uint64_t>(in.subspan(8))};
}

} // namespace

std::vector<std::byte> encode(const open_request& request) {
  std::vector<std::byte> out;
  out.reserve(request_bytes);
  put_uuid(out, request.ticket.migration.value);
  put_uuid(out, request.ticket.source.value);
  put_uuid(out, request.ticket.destination.value);
  put_big_endian(out, request.ticket.epoch.timeline);
  put_big_endian(out, request.ticket.epoch.number);
  out.insert(out.end(), request.ticket.token.begin(), request.ticket.token.end());
  put_big_endian(out, request.stream);
  put_big_endian(out, request.streams);
  return out;
}

result<open_request> decode_open_request(std::span<const std::byte> payload) {
  if (payload.size() != request_bytes)
    return make_failure(dwcp_errc::malformed, "open frame: it has " + std::to_string(payload.size())
                                                  + " bytes instead of "
                                                  + std::to_string(request_bytes));
  open_request request;
  request.ticket.migration.value = get_uuid(payload);
  request.ticket.source.value = get_uuid(payload.subspan(uuid_bytes));
  request.ticket.destination.value = get_uuid(payload.subspan(2 * uuid_bytes));
  auto rest = payload.subspan(3 * uuid_bytes);
  request.ticket.epoch
      = {get_big_endian<uint32_t>(rest), get_big_endian<uint64_t>(rest.subspan(4))};
  rest = rest.subspan(12);
  std::ranges::copy(rest.first(token_bytes), request.ticket.token.begin());
  request.stream = get_big_endian<uint16_t>(rest.subspan(token_bytes));
  request.streams = get_big_endian<uint16_t>(rest.subspan(token_bytes + 2));
  if (request.streams > max_streams || request.stream >= request.streams)
    return make_failure(dwcp_errc::malformed, "open frame: stream " + std::to_string(request.stream)
                                                  + " of " + std::to_string(request.streams));
  return request;
}

bool same_ticket(const session_ticket& a, const session_ticket& b) {
  const bool token = CRYPTO_memcmp(a.token.data(), b.token.data(), a.token.size()) == 0;
  return token && a.migration == b.migration && a.source == b.source
         && a.destination == b.destination && a.epoch == b.epoch;
}

void put_terms(frame_header& header, const session_terms& terms) {
  header.records = static_cast<uint32_t>(terms.dialect);
  header.sequence = terms.store_bytes;
  header.round = terms.lanes;
}

session_terms get_terms(const frame_header& header) {
  if (header.records < static_cast<uint32_t>(batch_dialect::held_pages))
    return {};
  const auto dialect = std::min(header.records, static_cast<uint32_t>(newest_dialect));
  return {static_cast<batch_dialect>(dialect), header.sequence,
          std::clamp(header.round, 1u, max_lanes)};
}

session_terms agree(const session_terms& asked, uint64_t store_bytes) {
  if (asked.dialect == batch_dialect::plain_pages)
    return {};
  return {asked.dialect, std::min(asked.store_bytes, store_bytes), asked.lanes};
}

chain_value session_seed(const session_ticket& ticket) {
  std::vector<std::byte> bytes;
  put_text(bytes, "novacron page session 1");
  put_uuid(bytes, ticket.migration.value);
  put_uuid(bytes, ticket.source.value);
  put_uuid(bytes, ticket.destination.value);
  put_big_endian(bytes, ticket.epoch.timeline);
  put_big_endian(bytes, ticket.epoch.number);
  return digest_of(bytes);
}

} // namespace novacron
