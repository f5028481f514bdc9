#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/codec/plan_packer.hpp"
#include "dwcp/guest_stream/stream_splitter.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>

namespace {

using namespace novacron;

/// Four pages, each of one byte only, from 0 on.
struct lent_by_fuzz final : page_lender {
  bool read(uint64_t index, std::span<std::byte, page_size> out) override {
    std::ranges::fill(out, static_cast<std::byte>(index));
    return index < 4;
  }
};

} // namespace

/// Any bytes are refused as a batch, within its bounds; and any bytes, taken for
/// a stream, come back from a batch as they were.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4)
    return 0;
  const auto input = std::as_bytes(std::span{data, size}).subspan(4);
  const auto seed = digest_of({});
  const size_t store = data[0] / 2 % 16 * page_size;
  batch_announcement announced;
  announced.codec = static_cast<batch_codec>(data[0] % 3);
  announced.raw_bytes = static_cast<uint32_t>(data[1] << 16 | data[2] << 8 | data[3]);
  lent_by_fuzz lent;
  batch_decoder stranger{seed, store};
  stranger.lend_from(&lent);
  if (stranger.decode(announced, input).has_value())
    std::abort(); // its digest would have to be zero

  batch_encoder encoder{seed, store};
  for (uint64_t i = 0; i < 4; ++i) {
    std::array<std::byte, page_size> page;
    lent.read(i, page);
    const auto digest = digest_of_page(page);
    encoder.lend(i, {&digest, 1});
  }
  stream_splitter splitter;
  const auto add = [&](const page_record& record) { encoder.add(record); };
  splitter.push(input.first(std::min(input.size(), batch_target_bytes)), add);
  splitter.finish(add);
  auto batch = encoder.seal();
  plan_packer packer;
  const auto packed = packer.pack(std::move(batch.plan), data[0] % 2);
  batch_decoder decoder{seed, store};
  decoder.lend_from(&lent);
  const auto decoded = decoder.decode({packed.codec, batch.raw_bytes, batch.chain}, packed.payload);
  if (!decoded.has_value()
      || !std::ranges::equal(decoded->raw, input.first(std::min(input.size(), batch_target_bytes))))
    std::abort();
  return 0;
}
