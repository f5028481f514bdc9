#include "messages/page_stream.hpp"
#include "odd_ends.hpp"

#include <algorithm>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

// Frames that come cut, twice, out of order, too large, or from elsewhere. TLS lets nobody on the
// way make them; a node of the cluster could.

namespace {

constexpr session_terms resuming{batch_dialect::held_pages, 0, 1};

/// A session whose destination's QEMU has had the first batch.
struct begun_session : odd_source {
  guest_socket guest;

  begun_session() {
    REQUIRE(open(*there, 0, 1, resuming));
    REQUIRE(there->say(batch(0)));
    guest = pair.incoming->accept();
    REQUIRE(guest.read(some_bytes.size()) == some_bytes);
  }

  /// The session ends for that reason, and QEMU gets nothing more.
  void check_refused(dwcp_errc why) {
    check_ended(why);
    CHECK(guest.read_all().empty());
    CHECK(pair.received.calls() == 1);
  }
};

} // namespace

TEST_CASE("a batch that is cut short, anywhere, ends the session, and nothing of it is released") {
  for (const size_t left : {size_t{0}, size_t{1}, size_t{100}, some_bytes.size()}) {
    CAPTURE(left);
    begun_session x;
    auto cut = x.batch(1);
    REQUIRE(left < cut.payload.size());
    cut.payload.resize(left);
    CHECK(x.there->say(std::move(cut)));
    x.check_refused(dwcp_errc::malformed);
  }
}

TEST_CASE("frames that are larger than they may be end the session before they are taken") {
  SUBCASE("a batch that stands for more") {
    begun_session x;
    auto large = x.batch(1);
    large.header.raw_bytes = max_batch_raw_bytes + 1;
    CHECK(x.there->say(std::move(large)));
    x.check_refused(dwcp_errc::malformed);
  }
  SUBCASE("a batch of more bytes") {
    begun_session x;
    auto large = x.batch(1);
    large.payload.resize(max_batch_wire_bytes + 1);
    x.there->say(std::move(large)); // it may find nobody who takes the rest
    x.check_refused(dwcp_errc::malformed);
  }
  SUBCASE("a frame that has no payload, with one") {
    begun_session x;
    CHECK(x.there->say(frame_kind::end, 1, x.chain, bytes(1)));
    x.check_refused(dwcp_errc::malformed);
  }
  SUBCASE("a return path of more bytes, at the source") {
    odd_destination x;
    x.accept();
    x.there->say(frame_kind::return_path, 0, {}, bytes(max_return_bytes + 1));
    CHECK(code(x.pair.sent.wait()) == dwcp_errc::malformed);
    CHECK(x.source.read_all().empty());
  }
}

TEST_CASE("batches that come again are released once") {
  begun_session x;
  const auto first = x.batch(1);
  const auto second = x.batch(2);
  for (const auto* each : {&first, &first, &second, &first, &second})
    CHECK(x.there->say(*each));
  CHECK(x.there->say(frame_kind::end, 3, x.chain));
  CHECK(x.guest.read_all().size() == 2 * some_bytes.size());
  x.guest.close();
  CHECK(x.pair.received.wait().has_value());
}

TEST_CASE("batches that come in any order are released in theirs") {
  begun_session x;
  random_numbers random{20};
  std::vector<frame> batches;
  bytes stream;
  for (uint64_t i = 1; i <= 30; ++i) {
    const auto content = random_bytes(random, 1 + random() % 5'000);
    batches.push_back(x.batch(i, content));
    stream.insert(stream.end(), content.begin(), content.end());
  }
  std::ranges::shuffle(batches, random);
  for (const auto& each : batches)
    CHECK(x.there->say(each));
  CHECK(x.guest.read(stream.size()) == stream);
}

TEST_CASE("a frame of another session ends the one that it came to, at either end") {
  SUBCASE("at the destination") {
    begun_session x;
    auto foreign = x.batch(1);
    ++x.there->session;
    CHECK(x.there->say(std::move(foreign)));
    x.check_refused(dwcp_errc::malformed);
  }
  SUBCASE("at the source") {
    odd_destination x;
    x.accept();
    ++x.there->session;
    CHECK(x.there->say(frame_kind::return_path, 0, {}, qemu_stream::shut_message()));
    CHECK(code(x.pair.sent.wait()) == dwcp_errc::malformed);
    CHECK(x.source.read_all().empty());
  }
}

TEST_CASE("a batch of another session, under this one's number, is a digest mismatch") {
  begun_session other;
  begun_session x;
  CHECK(x.there->say(other.batch(1)));
  x.check_refused(dwcp_errc::digest_mismatch);
}

TEST_CASE("that all is done is said again where the connection that took it there is lost") {
  odd_source x;
  REQUIRE(x.open(*x.there, 0, 2, resuming));
  auto second = x.connect();
  REQUIRE(x.open(second, 1, 2, resuming));
  CHECK(x.there->say(x.batch(0)));
  CHECK(x.there->say(frame_kind::end, 1, x.chain));
  auto guest = x.pair.incoming->accept();
  CHECK(guest.read(some_bytes.size()) == some_bytes);
  CHECK(guest.write(qemu_stream::shut_message()));
  guest.close();
  const auto first_but_acks = [](speaker& from) {
    auto heard = from.hear();
    while (heard.header.kind == frame_kind::ack)
      heard = from.hear();
    return heard;
  };
  CHECK(first_but_acks(*x.there).header.kind == frame_kind::return_path);
  CHECK(first_but_acks(*x.there).header.kind == frame_kind::return_end);
  CHECK(first_but_acks(*x.there).header.kind == frame_kind::ended);
  x.there.reset(); // as if that had never come
  CHECK(first_but_acks(second).payload == qemu_stream::shut_message());
  CHECK(first_but_acks(second).header.kind == frame_kind::return_end);
  const auto last = first_but_acks(second);
  CHECK(last.header.kind == frame_kind::ended);
  CHECK(last.header.chain == x.chain);
  CHECK(x.pair.received.wait().has_value()); // though the second one isn't closed
}
