#include "dwcp/session/stream_set.hpp"
#include "dwcp/transport/sockets.hpp"
#include "test_authority.hpp"
#include "tests/becomes_true.hpp"
#include "tests/few_threads.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <poll.h>

using namespace novacron;
using namespace novacron::testing;
using namespace std::chrono_literals;

namespace {

const wakeup never;

deadline soon() {
  return std::chrono::steady_clock::now() + 10s;
}

/// One end's connections, and the other end's, which say nothing by themselves.
struct one_end {
  test_authority authority;
  tls_context tls = tls_context::load(authority.issue(node_id{random_uuid()})).value();
  std::vector<std::unique_ptr<tls_stream>> silent;
  std::atomic<int> arrivals{0};
  std::atomic<int> losses{0};
  std::atomic<int> failures{0};
  stream_set streams{7,
                     10s,
                     {[this](uint16_t, const frame&) {
                        ++arrivals;
                        return result<void>{};
                      },
                      [this](uint16_t, const failure&) { ++losses; },
                      [this](const failure&) { ++failures; }, [] {}}};

  void connect(uint16_t number) { streams.add(number, shaken()); }

  /// Whose handshake is done.
  std::unique_ptr<tls_stream> shaken() {
    const auto listener = listen_tcp("127.0.0.1", 0).value();
    auto there = make(connect_tcp("127.0.0.1", local_port(listener), never, soon()).value(),
                      tls_stream::end::client);
    REQUIRE(wait_for(listener.get(), POLLIN, never, soon()) == readiness::ready);
    auto here = make(accept_one(listener), tls_stream::end::server);
    std::thread shaking{[&] { (void)there->handshake(never, soon()); }};
    CHECK(here->handshake(never, soon()).has_value());
    shaking.join();
    silent.push_back(std::move(there));
    return here;
  }

private:
  std::unique_ptr<tls_stream> make(descriptor socket, tls_stream::end which) {
    return std::make_unique<tls_stream>(tls, std::move(socket), which,
                                        std::make_shared<wire_counter>());
  }
};

} // namespace

TEST_CASE("a connection that still stands when another takes its place is a loss, no failure") {
  one_end x;
  for (int times = 1; times <= 20; ++times) {
    x.connect(3);
    CHECK(x.streams.size() == 1);
    // So that its reader waits for more, most times.
    frame word;
    word.header.kind = frame_kind::end;
    word.header.session = 7;
    CHECK(x.silent.back()->write_frame(word, never, soon()).has_value());
    CHECK(becomes_true(10s, [&] { return x.arrivals == times; }));
    x.streams.drop(3);
    CHECK(x.losses == times);
    CHECK(x.failures == 0);
    CHECK(x.streams.size() == 0);
  }
}

TEST_CASE("where ends are expected a connection is dropped at once, though its peer says nothing") {
  one_end x;
  x.connect(0);
  x.streams.expect_ends();
  const auto began = std::chrono::steady_clock::now();
  x.streams.drop(0);
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  CHECK(x.losses == 0);
  CHECK(x.failures == 0);
}

TEST_CASE("a connection that not all threads can be had for carries nothing, and does not seem to"
          * doctest::skip(!threads_can_be_limited)) {
  // A connection takes two threads: once the second can't be had, once the first.
  for (const unsigned taken : {0u, 1u}) {
    CAPTURE(taken);
    CHECK(holds_with_threads(1, [taken] {
      one_end x;
      std::vector<std::unique_ptr<tls_stream>> streams;
      for (int n = 0; n < 4; ++n)
        streams.push_back(x.shaken());
      const wakeup over;
      std::vector<std::thread> others;
      for (unsigned n = 0; n < taken; ++n)
        others.emplace_back([&] { wait_for(-1, 0, over, deadline::max()); });
      uint16_t added = 0;
      bool refused = false;
      for (auto& each : streams) {
        try {
          x.streams.add(added, std::move(each));
          ++added;
        } catch (const std::exception&) {
          refused = true;
          break;
        }
      }
      const bool all_carry = x.streams.size() == added && x.losses == 0;
      over.raise();
      for (auto& each : others)
        each.join();
      x.streams.farewell(std::nullopt);
      x.streams.close(std::chrono::steady_clock::now());
      return refused && all_carry;
    }));
  }
}

namespace {

/// Two connections whose peers acknowledge nothing by themselves.
struct two_connections : one_end {
  two_connections() {
    connect(0);
    connect(1);
    streams.keep_frames();
  }
  ~two_connections() { streams.farewell(std::nullopt); }

  void send(uint64_t sequence) {
    frame x;
    x.header.kind = frame_kind::batch;
    x.header.session = 7;
    x.header.sequence = sequence;
    x.payload.resize(100);
    streams.send(std::move(x));
  }
  /// The sequences that a peer gets until nothing comes for so long.
  std::vector<uint64_t> arrived(size_t peer, std::chrono::milliseconds silence = 1s) {
    std::vector<uint64_t> all;
    while (auto next = silent.at(peer)->read_frame(never, silence))
      if (next->header.kind == frame_kind::batch)
        all.push_back(next->header.sequence);
    return all;
  }
};

} // namespace

TEST_CASE_FIXTURE(two_connections, "what is under way for too long goes over a second connection") {
  streams.repeat_after(300ms);
  send(0);
  REQUIRE(becomes_true(10s, [&] { return streams.repeats() == 1; }));
  CHECK(arrived(0) == std::vector<uint64_t>{0});
  CHECK(arrived(1) == std::vector<uint64_t>{0});
  CHECK(streams.repeats() == 1); // over both, and then no more
}

TEST_CASE_FIXTURE(two_connections, "what is acknowledged in time goes over one connection") {
  streams.repeat_after(60s);
  send(0);
  REQUIRE(becomes_true(10s, [&] { return streams.idle(); }));
  streams.acknowledged(1);
  streams.repeat_after(0s);
  CHECK(arrived(0, 300ms).size() + arrived(1, 300ms).size() == 1);
  CHECK(streams.repeats() == 0);
}

TEST_CASE_FIXTURE(two_connections,
                  "what two connections carry stays on the one that is left, and only there") {
  streams.repeat_after(0s);
  send(0);
  REQUIRE(becomes_true(10s, [&] { return streams.repeats() == 1 && streams.idle(); }));
  streams.drop(0);
  CHECK(streams.queued_bytes() == 0);
  CHECK(arrived(1, 300ms) == std::vector<uint64_t>{0});
  streams.drop(1);
  CHECK(streams.queued_bytes() > 0); // nobody has it now
}

TEST_CASE_FIXTURE(two_connections,
                  "a connection that isn't to carry takes nothing, until another is lost") {
  streams.let_carry(1);
  for (uint64_t sequence = 0; sequence < 6; ++sequence)
    send(sequence);
  const std::vector<uint64_t> all{0, 1, 2, 3, 4, 5};
  CHECK(arrived(0, 300ms) == all);
  streams.repeat_after(0s); // nor what is late
  CHECK(arrived(1, 300ms).empty());
  streams.drop(0);
  CHECK(arrived(1) == all);
}
