#include "dwcp/transport/frame.hpp"
#include "dwcp/transport/open_request.hpp"
#include "dwcp/transport/reorder_queue.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

frame batch_frame(uint64_t sequence, size_t size) {
  frame x;
  x.header.kind = frame_kind::batch;
  x.header.sequence = sequence;
  x.payload.resize(size);
  return x;
}

session_ticket some_ticket() {
  session_ticket ticket;
  ticket.migration.value = {1, 2};
  ticket.source.value = {3, 4};
  ticket.destination.value = {5, 6};
  ticket.epoch = {7, 8};
  ticket.token.fill(std::byte{9});
  return ticket;
}

} // namespace

TEST_CASE("a frame's header is read as it was written") {
  random_numbers random{1};
  for (uint8_t kind = 1; kind <= 13; ++kind) {
    frame_header header;
    header.kind = static_cast<frame_kind>(kind);
    header.session = random();
    header.sequence = random();
    header.records = static_cast<uint32_t>(random());
    header.round = static_cast<uint32_t>(random());
    header.chain.fill(static_cast<std::byte>(random()));
    if (header.kind == frame_kind::batch) {
      header.codec = batch_codec::zstd;
      header.raw_bytes = max_batch_raw_bytes;
      header.wire_bytes = max_batch_wire_bytes;
    }
    const auto decoded = decode_frame_header(encode(header));
    REQUIRE(decoded.has_value());
    CHECK(*decoded == header);
  }
}

TEST_CASE("a header that breaks a bound is refused") {
  frame_header good;
  good.kind = frame_kind::batch;
  const auto refused = [](frame_header_image image) {
    const auto x = decode_frame_header(image);
    return !x.has_value() && x.error().code == dwcp_errc::malformed;
  };
  const auto with = [&](size_t at, uint8_t value) {
    auto image = encode(good);
    image[at] = std::byte{value};
    return image;
  };
  CHECK(!refused(encode(good)));
  CHECK(refused(with(0, 'X'))); // magic
  CHECK(refused(with(4, 0)));   // version
  CHECK(refused(with(4, 2)));
  CHECK(refused(with(5, 0))); // kind
  CHECK(refused(with(5, 15)));
  CHECK(refused(with(6, 3)));     // codec
  CHECK(refused(with(7, 1)));     // unused
  CHECK(refused(with(32, 0xff))); // raw size
  CHECK(refused(with(36, 0xff))); // wire size
  good.kind = frame_kind::keepalive;
  CHECK(!refused(encode(good)));
  CHECK(refused(with(39, 1))); // a keepalive has no payload
  CHECK(refused(with(6, 1)));
}

TEST_CASE("a peer's reason survives the way, but for what a terminal could choke on") {
  const auto x = abort_frame(1, make_failure(dwcp_errc::digest_mismatch, "bad\x1b[2J page"));
  const auto why = read_abort(x.payload);
  CHECK(why.code == dwcp_errc::digest_mismatch);
  CHECK(why.message == "the other end gave up: bad?[2J page");
  const auto cancelled = abort_frame(1, make_failure(dwcp_errc::cancelled, "enough"));
  CHECK(read_abort(cancelled.payload).code == dwcp_errc::stream_broken);
  CHECK(abort_frame(1, make_failure(dwcp_errc::malformed, std::string(5000, 'x'))).payload.size()
        == max_abort_bytes);
  CHECK(read_abort({}).code == dwcp_errc::stream_broken);
  const bytes of_a_later_version{std::byte{200}, std::byte{'x'}};
  CHECK(read_abort(of_a_later_version).code == dwcp_errc::stream_broken);
}

TEST_CASE("an opening request is read as it was written, and nothing else is") {
  const open_request request{some_ticket(), 1, 3};
  auto payload = encode(request);
  const auto decoded = decode_open_request(payload);
  REQUIRE(decoded.has_value());
  CHECK(same_ticket(decoded->ticket, request.ticket));
  CHECK(decoded->stream == 1);
  CHECK(decoded->streams == 3);
  CHECK(!decode_open_request(std::span{payload}.first(payload.size() - 1)).has_value());
  payload.push_back(std::byte{0});
  CHECK(!decode_open_request(payload).has_value());
  CHECK(!decode_open_request(encode(open_request{some_ticket(), 3, 3})).has_value());
  CHECK(!decode_open_request(encode(open_request{some_ticket(), 0, 0})).has_value());
  CHECK(!decode_open_request(encode(open_request{some_ticket(), 0, 65})).has_value());
}

TEST_CASE("ends that differ agree on the older dialect and the smaller store") {
  const auto said = [](const session_terms& terms) {
    frame_header header;
    header.kind = frame_kind::open;
    put_terms(header, terms);
    return get_terms(decode_frame_header(encode(header)).value());
  };
  const session_terms asked{batch_dialect::held_pages, 1u << 30, 3};
  CHECK(said(asked) == asked);
  CHECK(get_terms(frame_header{}) == session_terms{});
  CHECK(agree(asked, 1u << 20) == session_terms{batch_dialect::held_pages, 1u << 20, 3});
  CHECK(agree(asked, ~uint64_t{0}) == asked);
  CHECK(agree(session_terms{}, 1u << 20) == session_terms{});
  CHECK(agree({batch_dialect::plain_pages, 1u << 20, 3}, 1u << 20) == session_terms{});
  CHECK(agree(asked, 0) == session_terms{batch_dialect::held_pages, 0, 3});
  const session_terms later{static_cast<batch_dialect>(9), 1u << 20, 1000};
  CHECK(said(later) == session_terms{newest_dialect, 1u << 20, max_lanes});
  CHECK(said({newest_dialect, 1u << 20, 1}).dialect == newest_dialect);
  CHECK(said({batch_dialect::held_pages, 0, 0}) == session_terms{batch_dialect::held_pages, 0, 1});
}

TEST_CASE("a ticket is the same only in all its parts") {
  const auto ticket = some_ticket();
  auto other = ticket;
  CHECK(same_ticket(ticket, other));
  other.token.back() = std::byte{0};
  CHECK(!same_ticket(ticket, other));
  other = ticket;
  other.epoch.number = 9;
  CHECK(!same_ticket(ticket, other));
  CHECK(session_seed(ticket) != session_seed(other));
  other = ticket;
  other.source.value.low = 9;
  CHECK(!same_ticket(ticket, other));
  CHECK(session_seed(ticket) != session_seed(other));
  other = ticket;
  other.migration.value.low = 9;
  CHECK(!same_ticket(ticket, other));
  CHECK(session_seed(ticket) != session_seed(other));
  other = ticket;
  other.destination.value.low = 9;
  CHECK(!same_ticket(ticket, other));
  CHECK(session_seed(ticket) != session_seed(other));
}

TEST_CASE("frames come out in the order of their numbers") {
  random_numbers random{2};
  std::vector<uint64_t> numbers(500);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = i;
  std::ranges::shuffle(numbers, random);
  reorder_queue queue{1 << 20};
  uint64_t next = 0;
  for (const auto number : numbers) {
    CHECK(queue.put(batch_frame(number, 10)));
    while (auto x = queue.take())
      CHECK(x->header.sequence == next++);
  }
  CHECK(next == numbers.size());
  CHECK(queue.bytes() == 0);
}

TEST_CASE("a full queue admits only the frame that makes room") {
  reorder_queue queue{1000};
  CHECK(queue.put(batch_frame(1, 600)));
  CHECK(queue.admits(batch_frame(2, 600).header));
  CHECK(queue.put(batch_frame(2, 600)));
  CHECK(!queue.admits(batch_frame(3, 1).header));
  CHECK(queue.admits(batch_frame(0, 600).header));
}

TEST_CASE("a number that was seen, or is too far ahead, has no place") {
  reorder_queue queue{1000};
  CHECK(queue.put(batch_frame(0, 1)));
  CHECK(!queue.put(batch_frame(0, 1)));
  CHECK(queue.take().has_value());
  CHECK(!queue.put(batch_frame(0, 1)));
  CHECK(!queue.put(batch_frame(max_frames_under_way + 2, 1)));
  CHECK(queue.put(batch_frame(max_frames_under_way + 1, 1)));
}
