#include "dwcp/session/return_gate.hpp"
#include "dwcp/transport/frame.hpp"
#include "dwcp/transport/open_request.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

/// Whatever is read as a header or a request is within its bounds, and is
/// written as the same bytes again; the return path's gate loses no byte.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace novacron;
  const auto input = std::as_bytes(std::span{data, size});
  if (size >= frame_header_bytes)
    if (const auto header = decode_frame_header(input.first<frame_header_bytes>());
        header.has_value()
        && (header->wire_bytes > max_batch_wire_bytes || header->raw_bytes > max_batch_raw_bytes
            || !std::ranges::equal(encode(*header), input.first<frame_header_bytes>())))
      std::abort();
  if (const auto request = decode_open_request(input);
      request.has_value() && !std::ranges::equal(encode(*request), input))
    std::abort();
  (void)read_abort(input);
  return_gate gate;
  gate.push(input.first(size / 2));
  gate.push(input.subspan(size / 2));
  gate.open();
  if (!std::ranges::equal(gate.ready(), input))
    std::abort();
  return 0;
}
