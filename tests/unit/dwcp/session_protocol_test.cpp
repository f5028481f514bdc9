#include "dwcp/codec/batch_decoder.hpp"
#include "dwcp/session/flight_window.hpp"
#include "dwcp/session/limits.hpp"
#include "messages/page_stream.hpp"
#include "odd_ends.hpp"

#include <doctest/doctest.h>
#include <poll.h>

using namespace novacron;
using namespace novacron::testing;

// What a node of the cluster, with the right ticket, may do wrong in a session.

TEST_CASE("a session that can't resume has the connections that its first one announced, no more") {
  odd_source x;
  CHECK(x.open(*x.there, 0, 2));
  auto other_count = x.connect();
  CHECK_FALSE(x.open(other_count, 1, 3));
  auto second = x.connect();
  CHECK(x.open(second, 1, 2));
  auto third = x.connect();
  CHECK_FALSE(x.open(third, 1, 2));
  CHECK(x.pair.received.calls() == 0); // those that were accepted go on
}

TEST_CASE("a source that sends what only a destination sends ends the session") {
  odd_source x;
  REQUIRE(x.open(*x.there, 0, 1));
  // With what would do as a batch, but for its kind.
  auto disguised = x.batch(0, {});
  disguised.header.kind = frame_kind::return_path;
  CHECK(x.there->say(std::move(disguised)));
  x.check_ended(dwcp_errc::malformed);
}

TEST_CASE("a place in the sequence is taken once, and near") {
  for (const uint64_t again : {uint64_t{1}, uint64_t{5'000}}) {
    CAPTURE(again);
    odd_source x;
    REQUIRE(x.open(*x.there, 0, 1));
    CHECK(x.there->say(x.batch(1)));
    CHECK(x.there->say(x.batch(again)));
    x.check_ended(dwcp_errc::malformed);
  }
}

TEST_CASE("an end whose chain isn't that of all that was released is a mismatch") {
  odd_source x;
  REQUIRE(x.open(*x.there, 0, 1));
  CHECK(x.there->say(x.batch(0)));
  CHECK(x.there->say(frame_kind::end, 1, session_seed(x.pair.ticket)));
  x.check_ended(dwcp_errc::digest_mismatch);
}

TEST_CASE("what can't be put in order yet waits at the source beyond the queue's bound") {
  odd_source x;
  REQUIRE(x.open(*x.there, 0, 1));
  const bytes much(1u << 20, std::byte{7});
  bool held_back = false;
  for (uint64_t i = 1; i <= 100 && !held_back; ++i) // the first one never comes
    held_back = !x.there->say(x.batch(i, much), std::chrono::steady_clock::now() + 1s);
  CHECK(held_back);
  CHECK(x.pair.received.calls() == 0);
}

TEST_CASE("the batch that is waited for is taken, after all that a source may have under way") {
  odd_source x{10s, receive_options{}.queue_bytes};
  REQUIRE(x.open(*x.there, 0, 1));
  const auto first = x.batch(0);
  const bytes much(1u << 20, std::byte{7});
  const auto under_way = session_limits::kept_bytes / much.size() + 4; // with what is being packed
  for (uint64_t i = 1; i <= under_way; ++i)
    REQUIRE(x.there->say(x.batch(i, much)));
  CHECK(x.there->say(first));
  CHECK(x.pair.incoming->accept().read(some_bytes.size()) == some_bytes);
}

TEST_CASE("a QEMU that has everything but keeps the connection open ends the session") {
  odd_source x{500ms};
  REQUIRE(x.open(*x.there, 0, 1));
  const auto guest = x.pair.incoming->accept();
  CHECK(x.there->say(frame_kind::end, 0, x.chain));
  // We speak, so it isn't our silence.
  const auto ended = [&] {
    x.there->say(frame_kind::keepalive, 0, {});
    return x.pair.received.calls() > 0;
  };
  CHECK(eventually(ended));
  CHECK(code(x.pair.received.wait()) == dwcp_errc::stream_broken);
  CHECK(why(x.pair.received.wait()).find("keeps the connection open") != std::string::npos);
}

TEST_CASE("an answer that doesn't accept this session opens nothing") {
  for (const bool other_session : {false, true}) {
    CAPTURE(other_session);
    odd_destination x;
    x.there->session += other_session ? 1 : 0;
    x.there->say(other_session ? frame_kind::accepted : frame_kind::ack, 0, {});
    CHECK(code(x.pair.sent.wait()) == dwcp_errc::malformed);
    CHECK(x.source.read_all().empty());
  }
}

TEST_CASE("a destination that knows of no store gets batches that refer to none") {
  for (const bool knows : {false, true}) {
    CAPTURE(knows);
    odd_destination x;
    frame accepted;
    accepted.header.kind = frame_kind::accepted;
    if (knows)
      put_terms(accepted.header, {batch_dialect::held_pages, 1u << 20});
    CHECK(x.there->say(std::move(accepted)));
    stream_writer writer{{{"pc.ram", 10 * page_size}}, true};
    writer.begin();
    writer.begin_part();
    for (uint64_t at = 0; at < 10 * page_size; at += page_size)
      writer.page(0, at, bytes(page_size, std::byte{7}));
    writer.end_part();
    CHECK(x.source.write(writer.take()));
    batch_decoder without{session_seed(x.pair.ticket), 0};
    bool refused = false;
    uint64_t taken = 0;
    for (auto next = x.there->hear(); next.header.kind == frame_kind::batch && !refused;
         next = x.there->hear(500ms)) {
      const auto& header = next.header;
      refused = !without.decode({header.codec, header.raw_bytes, header.chain}, next.payload);
      x.there->say(frame_kind::ack, ++taken, header.chain);
    }
    CHECK(taken > 0);
    CHECK(refused == knows);
  }
}

TEST_CASE("an acknowledgement of what wasn't sent, or of other bytes, ends the session") {
  odd_destination never_sent;
  never_sent.accept();
  CHECK(never_sent.there->say(frame_kind::ack, 5, {}));
  CHECK(code(never_sent.pair.sent.wait()) == dwcp_errc::malformed);

  odd_destination other_bytes;
  other_bytes.accept();
  CHECK(other_bytes.source.write(some_bytes));
  CHECK(other_bytes.there->hear().header.kind == frame_kind::batch);
  CHECK(other_bytes.there->say(frame_kind::ack, 1, {}));
  CHECK(code(other_bytes.pair.sent.wait()) == dwcp_errc::digest_mismatch);
}

TEST_CASE("a destination that sends what only a source sends ends the session") {
  odd_destination x;
  x.accept();
  CHECK(x.there->say(frame_kind::end, 0, {}));
  CHECK(code(x.pair.sent.wait()) == dwcp_errc::malformed);
}

TEST_CASE("a destination that is done before everything was sent is not believed") {
  odd_destination x;
  x.accept();
  CHECK(x.source.write(some_bytes));
  CHECK(x.there->hear().header.kind == frame_kind::batch);
  CHECK(x.there->say(frame_kind::ended, 0, {}));
  CHECK(code(x.pair.sent.wait()) == dwcp_errc::malformed);
}

TEST_CASE("two ends that have seen different bytes don't agree, though both are done") {
  for (const bool same : {true, false}) {
    CAPTURE(same);
    odd_destination x;
    x.accept();
    CHECK(x.source.write(some_bytes));
    x.source.close_write();
    const auto end = x.take_all();
    CHECK(end.header.kind == frame_kind::end);
    CHECK(x.there->say(frame_kind::return_end, 0, {}));
    CHECK(x.there->say(frame_kind::ended, 0, same ? end.header.chain : chain_value{}));
    const auto sent = x.pair.sent.wait();
    CHECK(code(sent) == (same ? std::error_code{} : make_error_code(dwcp_errc::digest_mismatch)));
  }
}

TEST_CASE("a destination that couldn't load the guest is no good end, though all was released") {
  odd_destination x;
  x.accept();
  CHECK(x.source.write(some_bytes));
  CHECK(x.there->say(frame_kind::return_path, 0, {}, qemu_stream::shut_message(1)));
  CHECK(x.source.read(8) == qemu_stream::shut_message(1));
  x.source.close_write();
  x.take_all();
  const auto sent = x.pair.sent.wait();
  CHECK(code(sent) == dwcp_errc::stream_broken);
  CHECK(why(sent).find("could not load") != std::string::npos);
}

TEST_CASE("the last word waits for the last acknowledgement, though QEMU has nothing more to say") {
  odd_destination x;
  x.accept();
  CHECK(x.source.write(some_bytes));
  const auto batch = x.there->hear();
  CHECK(batch.header.kind == frame_kind::batch);
  CHECK(x.there->say(frame_kind::return_path, 0, {}, qemu_stream::shut_message()));
  pollfd heard{x.source.fd(), POLLIN, 0};
  CHECK(::poll(&heard, 1, 300) == 0);
  CHECK(x.there->say(frame_kind::ack, 1, batch.header.chain));
  CHECK(x.source.read(8) == qemu_stream::shut_message());
}

TEST_CASE("what isn't acknowledged keeps the source from sending more") {
  odd_destination x;
  x.accept();
  std::thread writer{[&] { x.source.write(bytes(32u << 20)); }};
  std::vector<frame> heard;
  for (auto next = x.there->hear(); next.header.kind == frame_kind::batch;
       next = x.there->hear(500ms))
    heard.push_back(std::move(next));
  CHECK(heard.size() >= flight_window::least);
  CHECK(heard.size() <= flight_window::least + 1); // what was read before the last one left
  CHECK(x.there->say(frame_kind::ack, heard.size(), heard.back().header.chain));
  const auto next = x.there->hear();
  CHECK_MESSAGE(next.header.kind == frame_kind::batch, read_abort(next.payload).message);
  x.pair.sender.reset();
  writer.join();
}

TEST_CASE("a return path that the source's QEMU doesn't read ends the session at its bound") {
  odd_destination x;
  x.accept();
  const bytes much(max_return_bytes, std::byte{0});
  // What its socket takes is no backlog; that is far less than this.
  for (int i = 0; i < 200 && x.pair.sent.calls() == 0; ++i)
    x.there->say(frame_kind::return_path, 0, {}, much);
  CHECK(code(x.pair.sent.wait()) == dwcp_errc::too_many);
}

TEST_CASE("a destination that never says that the guest was loaded is given up in time") {
  for (const bool source_has_ended : {true, false}) {
    CAPTURE(source_has_ended);
    odd_destination x{500ms};
    x.accept();
    random_numbers random{1};
    CHECK(x.source.write(guest_stream(random, {10, 1, 100, true})));
    if (source_has_ended)
      x.source.close_write();
    for (auto next = x.there->hear(); next.header.kind == frame_kind::batch;
         next = x.there->hear(60ms))
      x.there->say(frame_kind::ack, next.header.sequence + 1, next.header.chain);
    const auto ended = [&] {
      pollfd more{-1, 0, 0};
      x.there->say(frame_kind::keepalive, 0, {});
      return ::poll(&more, 1, 20) == 0 && x.pair.sent.calls() > 0;
    };
    CHECK(eventually(ended));
    const auto sent = x.pair.sent.wait();
    CHECK(code(sent) == (source_has_ended ? dwcp_errc::stream_broken : dwcp_errc::timed_out));
    CHECK(why(sent).find(source_has_ended ? "never said" : "QEMU was silent") != std::string::npos);
  }
}

TEST_CASE("further connections are let in under numbers of their own, where both ends know them") {
  for (const auto dialect : {batch_dialect::held_pages, newest_dialect}) {
    odd_source x;
    REQUIRE(x.open(*x.there, 0, 1, {dialect, 0, 1}));
    const auto let_in = [&](uint16_t stream, uint16_t streams) {
      auto further = x.connect();
      return x.open(further, stream, streams, {dialect, 0, 1});
    };
    CHECK(let_in(5, 6) == (dialect == newest_dialect));
    CHECK(!let_in(2, 6));
  }
}

TEST_CASE("a session that ends well says nothing else on a connection that it is still opening") {
  odd_destination x{10s, 2};
  const session_terms terms{newest_dialect, 0, 1};
  {
    const auto other = x.next();
    odd_destination::accept(*x.there, terms);
    odd_destination::accept(*other, terms);
    REQUIRE(eventually([&] { return x.pair.sender->statistics().streams == 2; }));
  }
  const auto late = x.next(); // in the place of the one that is lost; it gets no answer
  CHECK(x.source.write(some_bytes));
  x.source.close_write();
  const auto end = x.take_all();
  CHECK(x.there->say(frame_kind::return_end, 0, {}));
  CHECK(x.there->say(frame_kind::ended, 0, end.header.chain));
  CHECK(why(x.pair.sent.wait()) == "");
  CHECK(late->hear().header.kind != frame_kind::abort);
}
