#include "dwcp/codec/batch_decoder.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>
#include <memory>
#include <zstd.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

const chain_value seed_of_tests = digest_of({});

chain_value chain_of(const bytes& raw) {
  digest_chain chain{seed_of_tests};
  chain.add(raw);
  return chain.seal();
}

bytes plan_of(const bytes& operations, const bytes& content = {}) {
  bytes plan;
  put_varint(plan, operations.size());
  plan.insert(plan.end(), operations.begin(), operations.end());
  plan.insert(plan.end(), content.begin(), content.end());
  return plan;
}

/// One operation: its tag and its numbers.
bytes operation(batch_operation tag, std::initializer_list<uint64_t> numbers) {
  bytes out{static_cast<std::byte>(tag)};
  for (auto x : numbers)
    put_varint(out, x);
  return out;
}

/// What a zero page at this number is in the stream.
bytes zero_page_at(uint64_t number) {
  bytes raw;
  put_big_endian(raw, number * page_size | qemu_stream::ram_flag::zero
                          | qemu_stream::ram_flag::same_block);
  raw.push_back(std::byte{0});
  return raw;
}

/// Decodes a plan whose sender says that it makes `raw`.
std::error_code decode(const bytes& payload, const bytes& raw,
                       batch_codec codec = batch_codec::plain, size_t store_bytes = 0) {
  batch_decoder decoder{seed_of_tests, store_bytes};
  const auto decoded
      = decoder.decode({codec, static_cast<uint32_t>(raw.size()), chain_of(raw)}, payload);
  return decoded.has_value() ? std::error_code{} : decoded.error().code;
}

const bytes four(4, std::byte{7});
const bytes five(5, std::byte{7});

} // namespace

TEST_CASE("a plan makes exactly the bytes that were announced, of all of its content") {
  CHECK(decode(plan_of(operation(batch_operation::opaque, {4}), four), four) == std::error_code{});
  CHECK(decode(plan_of(operation(batch_operation::opaque, {4}), five), four)
        == dwcp_errc::malformed); // content is left
  CHECK(decode(plan_of(operation(batch_operation::opaque, {5}), five), four)
        == dwcp_errc::malformed); // more than was announced
  CHECK(decode(plan_of(operation(batch_operation::opaque, {5}), four), five)
        == dwcp_errc::malformed); // more than there is
  batch_decoder decoder{seed_of_tests, 0};
  const auto less = decoder.decode({batch_codec::plain, 5, chain_of(four)},
                                   plan_of(operation(batch_operation::opaque, {4}), four));
  CHECK(less.error().code == dwcp_errc::malformed);
}

TEST_CASE("operations that are cut, or unknown, are no plan") {
  CHECK(decode({}, {}) == dwcp_errc::malformed);
  CHECK(decode({std::byte{1}}, {})
        == dwcp_errc::malformed); // one byte of operations, but none here
  CHECK(decode(plan_of({static_cast<std::byte>(batch_operation::opaque)}), {})
        == dwcp_errc::malformed); // without its length
  CHECK(decode(plan_of(operation(batch_operation::pages, {0})), {}) == dwcp_errc::malformed);
  CHECK(decode(plan_of({std::byte{10}, std::byte{0}}), {}) == dwcp_errc::malformed);
  const bytes endless(10, std::byte{0x80}); // a varint of more than 63 bits
  CHECK(decode(endless, {}) == dwcp_errc::malformed);
}

TEST_CASE("pages have numbers below the bound, whichever way they are reached") {
  const auto zeros = [](uint64_t step, uint64_t count) {
    return plan_of(operation(batch_operation::zero_pages, {step, count}));
  };
  const auto last = max_page_number - 1;
  CHECK(decode(zeros(zigzag(static_cast<int64_t>(last)), 1), zero_page_at(last))
        == std::error_code{});
  CHECK(
      decode(zeros(zigzag(static_cast<int64_t>(max_page_number)), 1), zero_page_at(max_page_number))
      == dwcp_errc::malformed);
  CHECK(decode(zeros(zigzag(-1), 1), zero_page_at(~uint64_t{0})) == dwcp_errc::malformed);
  auto both = zero_page_at(last);
  const auto beyond = zero_page_at(max_page_number);
  both.insert(both.end(), beyond.begin(), beyond.end());
  CHECK(decode(zeros(zigzag(static_cast<int64_t>(last)), 2), both) == dwcp_errc::malformed);
}

TEST_CASE("a plan refers only to what is held") {
  const bytes page(page_size, std::byte{7});
  const auto pages_of = [&](size_t count) {
    bytes raw;
    for (size_t i = 0; i < count; ++i) {
      put_big_endian(raw, i * page_size | qemu_stream::ram_flag::page
                              | qemu_stream::ram_flag::same_block);
      raw.insert(raw.end(), page.begin(), page.end());
    }
    return raw;
  };
  const auto both = [](const bytes& first, const bytes& second) {
    auto out = first;
    out.insert(out.end(), second.begin(), second.end());
    return out;
  };
  const auto full = operation(batch_operation::pages, {0, 1});
  const auto as_before = operation(batch_operation::same_pages, {0, 1, zigzag(-1)});
  const size_t store = 10 * page_size;
  const auto decoded = [&](const bytes& operations, const bytes& content, size_t count,
                           size_t store_bytes) {
    return decode(plan_of(operations, content), pages_of(count), batch_codec::plain, store_bytes);
  };
  CHECK(decoded(both(full, as_before), page, 2, store) == std::error_code{});
  CHECK(decoded(both(full, as_before), page, 2, 0) == dwcp_errc::malformed);
  CHECK(decoded(as_before, {}, 1, store) == dwcp_errc::malformed);
  CHECK(decoded(operation(batch_operation::same_pages, {0, 1, 0}), {}, 1, store)
        == dwcp_errc::malformed);
  CHECK(decoded(operation(batch_operation::same_pages, {0, 1}), {}, 1, store)
        == dwcp_errc::malformed); // without the distance
  CHECK(decoded(operation(batch_operation::changed_pages, {0, 1}), page, 1, store)
        == dwcp_errc::malformed);
  // Of another block nothing is held.
  const auto elsewhere = both(full, both(operation(batch_operation::block, {1}), as_before));
  CHECK(decoded(elsewhere, page, 2, store) == dwcp_errc::malformed);
  CHECK(decoded(both(full, operation(batch_operation::store_state, {42})), page, 1, store)
        == dwcp_errc::malformed);
}

TEST_CASE("a compressed plan unpacks to the length that stands before it, no more and no less") {
  const auto plan = plan_of(operation(batch_operation::opaque, {4}), four);
  const auto packed = [](const bytes& what, size_t announced) {
    bytes out;
    put_big_endian(out, static_cast<uint32_t>(announced));
    bytes frame(ZSTD_compressBound(what.size()));
    frame.resize(ZSTD_compress(frame.data(), frame.size(), what.data(), what.size(), 1));
    out.insert(out.end(), frame.begin(), frame.end());
    return out;
  };
  CHECK(decode(packed(plan, plan.size()), four, batch_codec::zstd) == std::error_code{});
  auto longer = plan;
  longer.push_back(std::byte{7});
  CHECK(decode(packed(longer, plan.size()), four, batch_codec::zstd) == dwcp_errc::malformed);
  CHECK(decode(packed(plan, plan.size() + 1), four, batch_codec::zstd) == dwcp_errc::malformed);
  CHECK(decode({std::byte{0}, std::byte{0}}, {}, batch_codec::zstd) == dwcp_errc::malformed);
}

TEST_CASE("a varint has at most nine bytes") {
  bytes in(8, std::byte{0xff});
  in.push_back(std::byte{0x7f});
  std::span<const std::byte> largest{in};
  CHECK(take_varint(largest) == ~uint64_t{0} >> 1);
  CHECK(largest.empty());
  in.back() = std::byte{0xff};
  in.push_back(std::byte{1});
  std::span<const std::byte> longer{in};
  CHECK_FALSE(take_varint(longer).has_value());
}

TEST_CASE("a batch that needs more memory to unpack than was agreed on is refused") {
  const auto plan = plan_of(operation(batch_operation::opaque, {4}), four);
  for (const int window_log : {batch_window_log, batch_window_log + 1}) {
    CAPTURE(window_log);
    const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context{ZSTD_createCCtx(),
                                                                       ZSTD_freeCCtx};
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, window_log);
    bytes payload;
    put_big_endian(payload, static_cast<uint32_t>(plan.size()));
    payload.resize(1000);
    ZSTD_inBuffer in{plan.data(), plan.size(), 0};
    ZSTD_outBuffer out{payload.data(), payload.size(), sizeof(uint32_t)};
    REQUIRE(ZSTD_compressStream2(context.get(), &out, &in, ZSTD_e_flush) == 0);
    payload.resize(out.pos);
    const auto expected
        = window_log > batch_window_log ? make_error_code(dwcp_errc::malformed) : std::error_code{};
    CHECK(decode(payload, four, batch_codec::zstd) == expected);
  }
}
