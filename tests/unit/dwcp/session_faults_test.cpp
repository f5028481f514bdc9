#include "qemu_pair.hpp"
#include "tcp_proxy.hpp"

#include <atomic>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

TEST_CASE("without resuming, connections cut at any point end the session, and QEMU sees it") {
  random_numbers random{12};
  const auto stream = guest_stream(random, {1500, 2, 5000, true});
  for (int i = 0; i < 16; ++i) {
    CAPTURE(i);
    qemu_pair pair;
    pair.sending.compress = false;
    pair.sending.resume_limit = pair.receiving.resume_limit = 0ms;
    const auto at = random() % stream.size();
    tcp_proxy::faults cut;
    (i % 2 == 0 ? cut.cut_all_after : cut.cut_one_after) = at;
    CAPTURE(at);
    tcp_proxy proxy{pair.door->port(), cut};
    pair.sending.destination_port = proxy.port();
    pair.expect();
    pair.start();
    auto source = guest_socket::connect(pair.sending.stream_socket);
    std::thread writer{[&] {
      source.write(stream);
      CHECK(source.read_all().empty());
    }};
    // What arrives is a part of what was sent, never anything else.
    bytes arrived;
    if (at > 10'000) {
      auto destination = pair.incoming->accept();
      arrived = destination.read_all();
    }
    CHECK(arrived.size() < stream.size());
    CHECK(std::equal(arrived.begin(), arrived.end(), stream.begin()));
    const auto sent = pair.sent.wait();
    CHECK((code(sent) == dwcp_errc::stream_broken || code(sent) == dwcp_errc::unreachable));
    if (at > 10'000)
      CHECK(code(pair.received.wait()) == dwcp_errc::stream_broken);
    writer.join();
  }
}

TEST_CASE(
    "without resuming, a bit that the link flips ends the session, and nothing of it is released") {
  random_numbers random{13};
  const auto stream = guest_stream(random, {1500, 2, 5000, true});
  for (int i = 0; i < 8; ++i) {
    CAPTURE(i);
    qemu_pair pair;
    pair.sending.compress = false;
    pair.sending.resume_limit = pair.receiving.resume_limit = 0ms;
    tcp_proxy::faults flip;
    flip.flip_bit_at = 10'000 + random() % (stream.size() - 20'000);
    tcp_proxy proxy{pair.door->port(), flip};
    pair.sending.destination_port = proxy.port();
    auto [source, destination] = pair.connect();
    std::thread writer{[&, &out = source] { out.write(stream); }};
    const auto arrived = destination.read_all();
    CHECK(arrived.size() < stream.size());
    CHECK(std::equal(arrived.begin(), arrived.end(), stream.begin()));
    CHECK(code(pair.sent.wait()).category() == dwcp_category());
    CHECK(code(pair.received.wait()).category() == dwcp_category());
    writer.join();
  }
}

TEST_CASE("a link that holds everything back ends the session after the silence limit") {
  random_numbers random{14};
  qemu_pair pair;
  pair.sending.resume_limit = pair.receiving.resume_limit = 0ms;
  pair.sending.silence_limit = pair.receiving.silence_limit = 300ms;
  pair.sending.compress = false;
  tcp_proxy::faults hold;
  hold.hold_after = 200'000;
  tcp_proxy proxy{pair.door->port(), hold};
  pair.sending.destination_port = proxy.port();
  auto [source, destination] = pair.connect();
  const auto stream = guest_stream(random, {1500, 2, 5000, true});
  std::thread writer{[&, &out = source] { out.write(stream); }};
  CHECK(code(pair.sent.wait()) == dwcp_errc::timed_out);
  CHECK(code(pair.received.wait()) == dwcp_errc::timed_out);
  CHECK(proxy.holding());
  source.read_all();
  writer.join();
}

TEST_CASE("a destination that reads slowly holds the source's QEMU back") {
  random_numbers random{15};
  qemu_pair pair;
  pair.sending.compress = false;
  pair.sending.queue_bytes = 1u << 20;
  pair.receiving.queue_bytes = 1u << 20;
  auto [source, destination] = pair.connect();
  const auto stream = guest_stream(random, {30'000, 1, 100, true});
  std::atomic<size_t> written{0};
  std::thread writer{[&, &out = source] {
    chop(stream, random, 65'536, [&](auto piece) {
      out.write(piece);
      written += piece.size();
    });
  }};
  // It stands still, though the destination has read nothing.
  CHECK(stands_still(written));
  // Two queues, what is being encoded, written and read, and the kernel's buffers.
  CHECK(written < 40u << 20);
  CHECK(written < stream.size());
  CHECK(destination.read(stream.size()) == stream);
  writer.join();
}

TEST_CASE("cancelled in any phase, both ends end once, and soon") {
  random_numbers random{16};
  const auto stream = guest_stream(random, {20'000, 1, 100, true});
  for (int phase = 0; phase < 3; ++phase) {
    for (const bool by_sender : {true, false}) {
      CAPTURE(phase);
      CAPTURE(by_sender);
      qemu_pair pair;
      pair.expect();
      pair.start();
      guest_socket source;
      guest_socket destination;
      std::thread writer;
      if (phase >= 1) {
        source = guest_socket::connect(pair.sending.stream_socket);
        destination = pair.incoming->accept();
      }
      if (phase >= 2) {
        writer = std::thread{[&] { source.write(stream); }};
        CHECK(destination.read(1'000'000).size() == 1'000'000); // and then no more: it is stuck
      }
      const auto began = std::chrono::steady_clock::now();
      by_sender ? pair.sender->cancel("test") : pair.receiver->cancel("test");
      auto& own = by_sender ? pair.sent : pair.received;
      auto& other = by_sender ? pair.received : pair.sent;
      CHECK(code(own.wait()) == dwcp_errc::cancelled);
      if (phase >= 1)
        CHECK(code(other.wait()) == dwcp_errc::stream_broken);
      if (writer.joinable())
        writer.join();
      pair.sender.reset();
      pair.receiver.reset();
      CHECK(std::chrono::steady_clock::now() - began < 5s);
      CHECK(own.calls() == 1);
      CHECK(other.calls() == 1);
    }
  }
}

TEST_CASE("destroyed while it carries, a session ends once and lets go of everything") {
  random_numbers random{17};
  const auto stream = guest_stream(random, {5000, 1, 100, true});
  for (const bool sender_first : {true, false}) {
    qemu_pair pair;
    auto [source, destination] = pair.connect();
    std::thread writer{[&, &out = source] { out.write(stream); }};
    CHECK(destination.read(1'000'000).size() == 1'000'000);
    if (sender_first)
      pair.sender.reset();
    else
      pair.receiver.reset();
    CHECK((sender_first ? pair.sent : pair.received).calls() == 1);
    CHECK(code((sender_first ? pair.received : pair.sent).wait()) == dwcp_errc::stream_broken);
    destination.read_all();
    writer.join();
    pair.door.reset();
  }
}
