#include "dwcp/guest_stream/stream_joiner.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

/// The first byte says how the rest is chopped. Joined, the records are the rest;
/// and what the splitter found in it doesn't depend on the chopping.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace novacron;
  if (size == 0)
    return 0;
  const auto stream = std::as_bytes(std::span{data + 1, size - 1});
  const auto split = [&](size_t piece, split_statistics& seen) {
    std::vector<std::byte> joined;
    const auto out = [&](const page_record& record) { join(record, joined); };
    stream_splitter splitter;
    for (size_t at = 0; at < stream.size(); at += piece)
      splitter.push(stream.subspan(at, std::min(piece, stream.size() - at)), out);
    splitter.finish(out);
    seen = splitter.statistics();
    return joined;
  };
  split_statistics whole;
  split_statistics pieces;
  if (!std::ranges::equal(split(size, whole), stream)
      || !std::ranges::equal(split(size_t{data[0]} + 1, pieces), stream)
      || whole.full_pages != pieces.full_pages || whole.zero_pages != pieces.zero_pages
      || whole.opaque_bytes != pieces.opaque_bytes)
    std::abort();
  return 0;
}
