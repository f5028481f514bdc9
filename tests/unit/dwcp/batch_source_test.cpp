#include "dwcp/session/batch_source.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

const chain_value seed_of_tests = digest_of({});

/// A source, and the frames that left it.
struct outgoing {
  std::vector<frame> frames;
  batch_source source{7, seed_of_tests, 0, [this](frame x) { frames.push_back(std::move(x)); }};

  void push(size_t batches) {
    for (size_t i = 0; i < batches; ++i) {
      source.push(bytes(1000, static_cast<std::byte>(i)));
      source.flush();
    }
  }
  std::error_code acknowledge(uint64_t sequence, const chain_value& chain) {
    const auto x = source.acknowledge(sequence, chain);
    return x.has_value() ? std::error_code{} : x.error().code;
  }
};

} // namespace

TEST_CASE("batches are numbered, and say where the chain stands after them") {
  outgoing x;
  x.push(3);
  REQUIRE(x.frames.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(x.frames[i].header.sequence == i);
    CHECK(x.frames[i].header.session == 7);
    CHECK(x.frames[i].header.raw_bytes == 1000);
    CHECK(x.frames[i].header.records == 1);
  }
  CHECK(x.frames[0].header.chain != x.frames[1].header.chain);
  x.source.send_end();
  CHECK(x.frames.back().header.kind == frame_kind::end);
  CHECK(x.frames.back().header.sequence == 3);
  CHECK(x.frames.back().header.chain == x.frames[2].header.chain);
}

TEST_CASE("batches count as released when their chain was said, and only those that were sent") {
  outgoing x;
  x.push(3);
  CHECK(x.source.frames_under_way() == 3);
  CHECK(x.acknowledge(2, x.frames[1].header.chain) == std::error_code{});
  CHECK(x.source.frames_under_way() == 1);
  CHECK(x.acknowledge(2, {}) == std::error_code{}); // says nothing new
  CHECK(x.acknowledge(1, x.frames[0].header.chain) == dwcp_errc::malformed);
  CHECK(x.acknowledge(4, x.frames[2].header.chain) == dwcp_errc::malformed);
  CHECK(x.acknowledge(3, x.frames[1].header.chain) == dwcp_errc::digest_mismatch);
  CHECK_FALSE(x.source.agreed());
  CHECK(x.acknowledge(3, x.frames[2].header.chain) == std::error_code{});
  CHECK(x.source.agreed());
}

TEST_CASE("a flush of nothing sends nothing, and the end sends what stayed behind") {
  outgoing x;
  x.source.flush();
  CHECK(x.frames.empty());
  x.source.push(bytes(3, std::byte{'Q'})); // may be the start of a stream
  x.source.flush();
  CHECK(x.frames.empty());
  CHECK(x.source.pending_bytes() == 3);
  CHECK_FALSE(x.source.agreed());
  x.source.finish();
  REQUIRE(x.frames.size() == 1);
  CHECK(x.frames[0].header.raw_bytes == 3);
  CHECK(x.source.pending_bytes() == 0);
}

TEST_CASE("a batch leaves by itself when it is full") {
  outgoing x;
  const bytes much(4 * batch_target_bytes, std::byte{1});
  x.source.push(much);
  CHECK(x.frames.size() >= 3);
  for (const auto& each : x.frames)
    CHECK(each.header.raw_bytes <= max_batch_raw_bytes);
}
