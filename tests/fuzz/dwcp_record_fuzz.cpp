#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/codec/plan_packer.hpp"
#include "dwcp/guest_stream/stream_joiner.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace {

using namespace novacron;

constexpr size_t bytes_a_record = 5;
constexpr size_t most_opaque = 64;

/// A page of few possible contents, so that many are the same, or nearly.
std::array<std::byte, page_size> content_of(uint8_t seed) {
  std::array<std::byte, page_size> page;
  page.fill(static_cast<std::byte>(seed / 16 + 1));
  std::fill_n(page.begin(), seed % 16 * 256, static_cast<std::byte>(seed));
  return page;
}

/// A page's head in QEMU's plainest form, or in another.
std::vector<std::byte> head_of(uint64_t offset, bool zero, bool plain) {
  std::vector<std::byte> head;
  put_big_endian(head, offset | qemu_stream::ram_flag::same_block
                           | (zero ? qemu_stream::ram_flag::zero : qemu_stream::ram_flag::page));
  if (zero || !plain)
    head.push_back(std::byte{0});
  return head;
}

struct both_ends {
  batch_encoder encoder;
  plan_packer packer;
  batch_decoder decoder;
  std::vector<std::byte> raw;

  explicit both_ends(size_t store) : encoder{digest_of({}), store}, decoder{digest_of({}), store} {
    // nop
  }
  void add(const page_record& record) {
    encoder.add(record);
    join(record, raw);
  }
  void end_batch(int level) {
    auto batch = encoder.seal();
    const auto packed = packer.pack(std::move(batch.plan), level);
    const auto decoded
        = decoder.decode({packed.codec, batch.raw_bytes, batch.chain}, packed.payload);
    if (!decoded.has_value() || !std::ranges::equal(decoded->raw, raw))
      std::abort();
    raw.clear();
  }
};

} // namespace

/// Any records, of any pages, in any batches, come out as the bytes that they stand for.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  both_ends ends{data[0] % 16 * page_size};
  for (auto rest = std::span{data + 1, size - 1}; rest.size() >= bytes_a_record;) {
    const auto what = rest.first(bytes_a_record);
    rest = rest.subspan(bytes_a_record);
    page_record record;
    // Small numbers, so that pages meet; now and then the largest.
    const uint64_t page = what[2] == 0xff ? (uint64_t{1} << 52) - 1 - what[3] : what[2] % 32;
    record.block = what[1] == 0xff ? UINT32_MAX : what[1] % 4;
    record.offset = page * page_size;
    const auto content = content_of(what[3]);
    const auto kind = what[0] % 4;
    const auto head = head_of(record.offset, kind == 1, what[4] % 8 != 0);
    switch (kind) {
    case 0:
      record.kind = record_kind::opaque;
      record.bytes = std::span{content}.first(what[4] % most_opaque);
      break;
    case 1:
      record.kind = record_kind::zero_page;
      record.header = head;
      break;
    default:
      record.kind = record_kind::page;
      record.header = head;
      record.bytes = content;
    }
    ends.add(record);
    if (what[4] / 8 == 0 || ends.encoder.full())
      ends.end_batch(what[0] / 4 % 2);
  }
  ends.end_batch(0);
  return 0;
}
