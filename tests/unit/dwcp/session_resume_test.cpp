#include "messages/page_stream.hpp"
#include "qemu_pair.hpp"
#include "tcp_proxy.hpp"

#include <doctest/doctest.h>
#include <poll.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

/// A guest's stream: its memory in parts while it runs, and what comes once it has
/// stopped, a last part of one page and its devices.
struct guest {
  bytes running;
  bytes stopped;

  guest(random_numbers& random, size_t pages) {
    stream_writer writer{{{"pc.ram", pages * page_size}}, true};
    writer.begin();
    for (size_t page = 0; page < pages; ++page) {
      if (page % 50 == 0)
        writer.begin_part();
      writer.page(0, page * page_size, random_bytes(random, page_size));
      if (page % 50 == 49)
        writer.end_part();
    }
    running = writer.take();
    writer.begin_last();
    writer.page(0, 0, random_bytes(random, page_size));
    writer.end_part();
    writer.finish(random_bytes(random, 5000));
    stopped = writer.take();
  }
};

/// Two ends with a proxy between them.
struct cut_pair {
  qemu_pair pair;
  tcp_proxy proxy;

  explicit cut_pair(const tcp_proxy::faults& what) : proxy{pair.door->port(), what} {
    pair.sending.compress = false;
    pair.sending.destination_port = proxy.port();
  }
};

/// What both QEMUs do once the guest has stopped.
void end_well(const guest& its, guest_socket& source, guest_socket& destination) {
  CHECK(source.write(its.stopped));
  CHECK(destination.read(its.stopped.size()) == its.stopped);
  CHECK(destination.write(qemu_stream::shut_message()));
  destination.close();
  CHECK(source.read(8) == qemu_stream::shut_message());
  source.close();
}

std::chrono::steady_clock::duration since(std::chrono::steady_clock::time_point then) {
  return std::chrono::steady_clock::now() - then;
}

} // namespace

TEST_CASE("connections that are cut while the guest runs are replaced, and nothing is lost") {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    CAPTURE(seed);
    random_numbers random{seed};
    const guest guest{random, 2000};
    tcp_proxy::faults cuts;
    cuts.cut_each = 300'000 + random() % 700'000;
    cuts.cuts = 1 + static_cast<int>(seed % 4);
    if (seed == 0)
      cuts = {.cut_one_after = 1'000'000};
    if (seed == 4) // which TLS finds
      cuts = {.flip_bit_at = 1'000'000};
    cut_pair x{cuts};
    x.pair.sending.streams = 1 + seed % 3;
    auto [source, destination] = x.pair.connect();
    std::thread writer{[&, &out = source] { out.write(guest.running); }};
    CHECK(destination.read(guest.running.size()) == guest.running);
    writer.join();
    end_well(guest, source, destination);
    const auto sent = x.pair.sent.wait();
    const auto received = x.pair.received.wait();
    REQUIRE_MESSAGE(sent.has_value(), why(sent));
    REQUIRE_MESSAGE(received.has_value(), why(received));
    CHECK(sent->chain_ok);
    CHECK(sent->reconnects > 0);
    CHECK(received->reconnects >= sent->reconnects);
  }
}

TEST_CASE("while a lost connection can't be replaced the others carry on, to the end") {
  random_numbers random{9};
  const guest guest{random, 1000};
  cut_pair x{{.cut_one_after = 1'000'000, .hold_later = true}};
  auto [source, destination] = x.pair.connect();
  const size_t before_the_cut = 500'000;
  const auto stream = std::span{guest.running};
  CHECK(source.write(stream.first(before_the_cut)));
  auto arrived = destination.read(before_the_cut / 2);
  std::thread writer{[&, &out = source] { out.write(stream.subspan(before_the_cut)); }};
  CHECK(eventually([&] { return x.proxy.unanswered() == 1; }));
  const auto rest = destination.read(stream.size() - arrived.size());
  CHECK(x.proxy.unanswered_ended() == 0); // all came during the first try
  arrived.insert(arrived.end(), rest.begin(), rest.end());
  CHECK(arrived == guest.running);
  writer.join();
  end_well(guest, source, destination);
  const auto sent = x.pair.sent.wait();
  REQUIRE_MESSAGE(sent.has_value(), why(sent));
  CHECK(sent->chain_ok);
  CHECK(sent->reconnects == 0);
}

TEST_CASE("a connection that stalls holds nobody up: another one carries what it has") {
  random_numbers random{10};
  const guest guest{random, 3000};
  cut_pair x{{.stall_one_after = 4'000'000}};
  x.pair.sending.silence_limit = x.pair.receiving.silence_limit = 60s; // so that it isn't lost
  auto [source, destination] = x.pair.connect();
  std::thread writer{[&, &out = source] { out.write(guest.running); }};
  CHECK(destination.read(guest.running.size()) == guest.running);
  writer.join();
  end_well(guest, source, destination);
  x.proxy.release(); // what came late is nothing new
  const auto sent = x.pair.sent.wait();
  const auto received = x.pair.received.wait();
  REQUIRE_MESSAGE(sent.has_value(), why(sent));
  REQUIRE_MESSAGE(received.has_value(), why(received));
  CHECK(sent->chain_ok);
  CHECK(sent->repeats > 0);
  CHECK(sent->reconnects == 0);
}

TEST_CASE("what the destination's QEMU says arrives once, though its connection was cut") {
  random_numbers random{3};
  const guest guest{random, 4000};
  const auto& stream = guest.running;
  tcp_proxy::faults cuts;
  cuts.cut_each = 4'000'000; // so that something was released, and answered, before
  cuts.cuts = 3;
  cut_pair x{cuts};
  auto [source, destination] = x.pair.connect();
  std::thread writer{[&, &out = source] { out.write(stream); }};
  bytes said;
  bytes arrived;
  while (arrived.size() < stream.size()) {
    const auto some = destination.read(std::min<size_t>(100'000, stream.size() - arrived.size()));
    REQUIRE(!some.empty());
    arrived.insert(arrived.end(), some.begin(), some.end());
    const auto word = random_bytes(random, 10);
    CHECK(destination.write(word));
    said.insert(said.end(), word.begin(), word.end());
  }
  CHECK(arrived == stream);
  CHECK(source.read(said.size()) == said);
  writer.join();
}

TEST_CASE("a link that is silent for a while is waited for") {
  random_numbers random{4};
  const guest guest{random, 1000};
  const auto& stream = guest.running;
  tcp_proxy::faults hold;
  hold.hold_after = 1'000'000;
  cut_pair x{hold};
  x.pair.sending.silence_limit = x.pair.receiving.silence_limit = 300ms;
  auto [source, destination] = x.pair.connect();
  std::thread writer{[&, &out = source] { out.write(stream); }};
  bytes arrived;
  std::thread reader{[&, &in = destination] { arrived = in.read(stream.size()); }};
  CHECK(eventually([&] { return x.proxy.holding() && x.pair.sender->statistics().streams == 0; }));
  x.proxy.release();
  reader.join();
  CHECK(arrived == stream);
  CHECK(eventually([&] { return x.pair.sender->statistics().reconnects >= 2; }));
  writer.join();
}

TEST_CASE(
    "a source that can't connect again gives up after its limit, and so does the destination") {
  random_numbers random{5};
  const guest guest{random, 1000};
  const auto& stream = guest.running;
  tcp_proxy::faults cut;
  cut.cut_all_after = 1'000'000;
  cut_pair x{cut};
  x.pair.sending.resume_limit = x.pair.receiving.resume_limit = 600ms;
  auto [source, destination] = x.pair.connect();
  const auto began = std::chrono::steady_clock::now();
  std::thread writer{[&, &out = source] { out.write(stream); }};
  const auto arrived = destination.read_all();
  CHECK(arrived.size() < stream.size());
  CHECK(std::equal(arrived.begin(), arrived.end(), stream.begin()));
  CHECK(code(x.pair.sent.wait()) == dwcp_errc::stream_broken);
  CHECK(code(x.pair.received.wait()) == dwcp_errc::stream_broken);
  CHECK(since(began) >= 600ms);
  CHECK(since(began) < 8s);
  writer.join();
}

TEST_CASE("once the guest has stopped nobody waits for a connection") {
  random_numbers random{6};
  const guest guest{random, 300};
  auto stream = guest.running;
  stream.insert(stream.end(), guest.stopped.begin(), guest.stopped.end());
  cut_pair x{{.cut_one_after = stream.size() - 2000}};
  x.pair.sending.streams = 1;
  auto [source, destination] = x.pair.connect();
  const auto began = std::chrono::steady_clock::now();
  std::thread writer{[&, &out = source] { out.write(stream); }};
  CHECK(code(x.pair.sent.wait()) == dwcp_errc::stream_broken);
  CHECK(since(began) < 5s);
  CHECK(source.read_all().empty()); // QEMU sees it, and resumes its guest
  x.pair.receiver.reset();
  writer.join();
}

TEST_CASE("a guest that has stopped goes on at the source when the destination is silent") {
  random_numbers random{7};
  const guest guest{random, 300};
  auto stream = guest.running;
  stream.insert(stream.end(), guest.stopped.begin(), guest.stopped.end());
  cut_pair x{{.hold_after = stream.size() - 8000}};
  x.pair.sending.stopped_limit = 400ms;
  auto [source, destination] = x.pair.connect();
  const auto began = std::chrono::steady_clock::now();
  std::thread writer{[&, &out = source] { out.write(stream); }};
  const auto sent = x.pair.sent.wait();
  CHECK(code(sent) == dwcp_errc::timed_out);
  CHECK(why(sent).find("had stopped") != std::string::npos);
  CHECK(since(began) >= 400ms);
  CHECK(since(began) < 5s);
  x.pair.receiver.reset();
  writer.join();
}

TEST_CASE(
    "a source's QEMU that takes its time once the guest has stopped is no destination's silence") {
  random_numbers random{10};
  const guest guest{random, 300};
  cut_pair x{{}};
  x.pair.sending.stopped_limit = 400ms;
  auto [source, destination] = x.pair.connect();
  const auto memory = std::span{guest.stopped}.first(guest.stopped.size() - 4000);
  CHECK(source.write(guest.running));
  CHECK(source.write(memory));
  CHECK(destination.read(guest.running.size()) == guest.running);
  CHECK(destination.read(memory.size()).size() == memory.size());
  pollfd silent{source.fd(), POLLRDHUP, 0};
  CHECK(::poll(&silent, 1, 1'000) == 0); // it says nothing, and isn't closed
  const auto devices = std::span{guest.stopped}.subspan(memory.size());
  CHECK(source.write(devices));
  CHECK(destination.read(devices.size()).size() == devices.size());
  CHECK(destination.write(qemu_stream::shut_message()));
  destination.close();
  CHECK(source.read(8) == qemu_stream::shut_message());
  source.close();
  const auto sent = x.pair.sent.wait();
  CHECK_MESSAGE(sent.has_value(), why(sent));
}

TEST_CASE("a session that was cancelled is not resumed") {
  random_numbers random{8};
  const guest guest{random, 1000};
  const auto& stream = guest.running;
  tcp_proxy::faults hold;
  hold.hold_after = 1'000'000;
  cut_pair x{hold};
  x.pair.sending.silence_limit = x.pair.receiving.silence_limit = 200ms;
  auto [source, destination] = x.pair.connect();
  std::thread writer{[&, &out = source] { out.write(stream); }};
  CHECK(eventually([&] { return x.proxy.holding() && x.pair.sender->statistics().streams == 0; }));
  x.pair.receiver.reset();
  CHECK(code(x.pair.received.wait()) == dwcp_errc::cancelled);
  x.proxy.release();
  // Its ticket is worth nothing now: what it hears is why its connections were lost.
  const auto sent = x.pair.sent.wait();
  CHECK_MESSAGE((code(sent) == dwcp_errc::timed_out || code(sent) == dwcp_errc::stream_broken),
                why(sent));
  writer.join();
}

TEST_CASE("a guest that stops behind a full window while the destination is silent goes on soon") {
  random_numbers random{31};
  cut_pair x{{.hold_after = 3'000'000}};
  x.pair.sending.stopped_limit = 4s; // of which half passes before the source looks ahead
  x.pair.sending.silence_limit = 60s;
  auto [source, destination] = x.pair.connect();
  std::atomic<size_t> written{0};
  std::atomic<bool> stops{false};
  std::thread qemu{[&, &out = source] {
    constexpr size_t pages = 20'000;
    stream_writer writer{{{"pc.ram", pages * page_size}}, true};
    writer.begin();
    for (size_t page = 0; page < pages && !stops; page += 10) {
      writer.begin_part();
      for (size_t n = page; n < page + 10; ++n)
        writer.page(0, n * page_size, random_bytes(random, page_size));
      writer.end_part();
      const auto part = writer.take();
      if (!out.write(part))
        return;
      written += part.size();
    }
    writer.begin_last();
    writer.end_part();
    writer.finish(random_bytes(random, 5000));
    out.write(writer.take());
  }};
  std::thread reader{[&, &in = destination] { in.read_all(); }};
  // It stands still, for nothing is acknowledged any more.
  CHECK(eventually([&] { return x.proxy.holding(); }));
  CHECK(stands_still(written));
  const auto began = std::chrono::steady_clock::now();
  stops = true;
  const auto sent = x.pair.sent.wait();
  CHECK(code(sent) == dwcp_errc::timed_out);
  CHECK(why(sent).find("goes on at the source") != std::string::npos);
  CHECK(since(began) < 12s);
  x.proxy.release();
  qemu.join();
  reader.join();
}
