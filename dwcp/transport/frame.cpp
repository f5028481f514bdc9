#include "dwcp/transport/frame.hpp"

#include "messages/big_endian.hpp"

#include <algorithm>
#include <string>

namespace novacron {

namespace {

constexpr size_t max_open_bytes = 256;

/// The largest payload of a kind; nothing for an unknown kind.
std::optional<size_t> payload_bound(uint8_t kind) {
  switch (static_cast<frame_kind>(kind)) {
  case frame_kind::open:
    return max_open_bytes;
  case frame_kind::batch:
    return max_batch_wire_bytes;
  case frame_kind::return_path:
    return max_return_bytes;
  case frame_kind::abort:
    return max_abort_bytes;
  case frame_kind::ask:
    return max_ask_bytes;
  case frame_kind::part:
    return max_part_bytes;
  case frame_kind::lent:
    return max_lent_bytes;
  case frame_kind::withdrawn:
  case frame_kind::accepted:
  case frame_kind::end:
  case frame_kind::ack:
  case frame_kind::return_end:
  case frame_kind::ended:
  case frame_kind::keepalive:
    return 0;
  }
  return std::nullopt;
}

failure broken(const std::string& why) {
  return make_failure(dwcp_errc::malformed, "frame: " + why
                                                + "; something else than DWCP, or another "
                                                  "version of it, speaks on this connection");
}

} // namespace

frame_header_image encode(const frame_header& header) {
  std::vector<std::byte> out;
  out.reserve(frame_header_bytes);
  put_big_endian(out, frame_magic);
  put_big_endian(out, frame_version);
  put_big_endian(out, static_cast<uint8_t>(header.kind));
  put_big_endian(out, static_cast<uint8_t>(header.codec));
  put_big_endian(out, uint8_t{0});
  put_big_endian(out, header.session);
  put_big_endian(out, header.sequence);
  put_big_endian(out, header.records);
  put_big_endian(out, header.round);
  put_big_endian(out, header.raw_bytes);
  put_big_endian(out, header.wire_bytes);
  out.insert(out.end(), header.chain.begin(), header.chain.end());
  frame_header_image image;
  std::ranges::copy(out, image.begin());
  return image;
}

result<frame_header> decode_frame_header(std::span<const std::byte, frame_header_bytes> image) {
  const std::span<const std::byte> x{image};
  if (get_big_endian<uint32_t>(x) != frame_magic)
    return broken("wrong magic");
  const auto version = std::to_integer<unsigned>(x[4]);
  if (version != frame_version)
    return broken("version " + std::to_string(version) + " instead of "
                  + std::to_string(unsigned{frame_version}));
  const auto bound = payload_bound(std::to_integer<uint8_t>(x[5]));
  if (!bound)
    return broken("unknown kind " + std::to_string(std::to_integer<unsigned>(x[5])));
  frame_header header;
  header.kind = static_cast<frame_kind>(x[5]);
  header.codec = static_cast<batch_codec>(x[6]);
  header.session = get_big_endian<uint64_t>(x.subspan(8));
  header.sequence = get_big_endian<uint64_t>(x.subspan(16));
  header.records = get_big_endian<uint32_t>(x.subspan(24));
  header.round = get_big_endian<uint32_t>(x.subspan(28));
  header.raw_bytes = get_big_endian<uint32_t>(x.subspan(32));
  header.wire_bytes = get_big_endian<uint32_t>(x.subspan(36));
  std::ranges::copy(x.subspan(40), header.chain.begin());
  if (header.wire_bytes > *bound)
    return broken("announces " + std::to_string(header.wire_bytes) + " bytes, more than "
                  + std::to_string(*bound));
  const bool batch = header.kind == frame_kind::batch;
  if (x[7] != std::byte{0} || header.codec > batch_codec::zstd_anew
      || (!batch && (header.codec != batch_codec::plain || header.raw_bytes != 0))
      || header.raw_bytes > max_batch_raw_bytes)
    return broken("a field is out of bounds");
  return header;
}

frame abort_frame(uint64_t session, const failure& why) {
  frame out;
  out.header.kind = frame_kind::abort;
  out.header.session = session;
  out.payload.push_back(static_cast<std::byte>(why.code.value()));
  put_text(out.payload, why.message.substr(0, max_abort_bytes - 1));
  return out;
}

failure read_abort(std::span<const std::byte> payload) {
  if (payload.empty())
    return make_failure(dwcp_errc::stream_broken, "the other end gave up and doesn't say why");
  auto code = static_cast<dwcp_errc>(payload[0]);
  // The other end's own decision is, here, a stream that broke.
  if (code < dwcp_errc::unreachable || code > dwcp_errc::too_many || code == dwcp_errc::cancelled)
    code = dwcp_errc::stream_broken;
  std::string text{"the other end gave up: "};
  for (const auto each : payload.subspan(1)) {
    const auto c = std::to_integer<unsigned char>(each);
    text.push_back(c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '?');
  }
  return make_failure(code, text);
}

} // namespace novacron
