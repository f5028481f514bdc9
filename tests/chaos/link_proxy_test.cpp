#include "dwcp/transport/sockets.hpp"
#include "link_proxy.hpp"
#include "tests/becomes_true.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

using namespace novacron;
using namespace novacron::chaos;
using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

namespace {

/// One connection through a proxy, and both of its ends.
struct linked_pair {
  descriptor listener = listen_tcp("127.0.0.1", 0).value();
  link_proxy proxy{local_port(listener), 1};
  wakeup stop;
  descriptor near = connect_tcp("127.0.0.1", proxy.port(), stop, steady::now() + 5s).value();
  descriptor far;

  linked_pair() {
    REQUIRE(becomes_true(5s, [&] {
      far = accept_one(listener);
      return static_cast<bool>(far);
    }));
  }

  static void send(const descriptor& from, const std::string& bytes) {
    REQUIRE(::send(from.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL)
            == static_cast<ssize_t>(bytes.size()));
  }
  /// What comes within the time; ends early at so many bytes.
  static std::string receive(const descriptor& at, size_t count, std::chrono::milliseconds limit) {
    std::string all;
    becomes_true(limit, [&] {
      char bytes[65'536];
      const auto some = ::recv(at.get(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (some > 0)
        all.append(bytes, static_cast<size_t>(some));
      return all.size() >= count;
    });
    return all;
  }
};

} // namespace

TEST_CASE_FIXTURE(linked_pair, "a link passes bytes on, both ways, and the end of each way") {
  send(near, "question");
  CHECK(receive(far, 8, 5s) == "question");
  ::shutdown(near.get(), SHUT_WR);
  char byte = 0;
  CHECK(becomes_true(5s, [&] { return ::recv(far.get(), &byte, 1, MSG_DONTWAIT) == 0; }));
  send(far, "answer");
  CHECK(receive(near, 6, 5s) == "answer");
  CHECK(proxy.bytes() == 14);
}

TEST_CASE_FIXTURE(linked_pair,
                  "a link that is held one way passes the other, and nothing is lost") {
  proxy.set(link_proxy::there, {.held = true});
  send(near, "question");
  CHECK(receive(far, 1, 300ms).empty());
  send(far, "unasked");
  CHECK(receive(near, 7, 5s) == "unasked");
  proxy.set(link_proxy::there, {});
  CHECK(receive(far, 8, 5s) == "question");
}

TEST_CASE_FIXTURE(linked_pair, "what is under way when a link is held waits, too") {
  proxy.set(link_proxy::there, {.delay = 500ms});
  send(near, "question");
  REQUIRE(becomes_true(5s, [&] { return proxy.taken() == 8; }));
  proxy.set(link_proxy::there, {.held = true});
  CHECK(receive(far, 1, 900ms).empty());
  proxy.set(link_proxy::there, {});
  CHECK(receive(far, 8, 5s) == "question");
}

TEST_CASE_FIXTURE(linked_pair, "a held link hides that an end has gone") {
  proxy.set(link_proxy::there, {.held = true});
  near = {};
  char byte = 0;
  CHECK_FALSE(becomes_true(300ms, [&] { return ::recv(far.get(), &byte, 1, MSG_DONTWAIT) == 0; }));
  proxy.set(link_proxy::there, {});
  CHECK(becomes_true(5s, [&] { return ::recv(far.get(), &byte, 1, MSG_DONTWAIT) == 0; }));
}

TEST_CASE_FIXTURE(linked_pair, "a slow link delays, and keeps the order") {
  proxy.set(link_proxy::there, {.delay = 200ms, .jitter = 100ms});
  const auto begin = steady::now();
  std::string sent;
  for (int i = 0; i < 20; ++i) {
    send(near, std::to_string(i) + ' ');
    sent += std::to_string(i) + ' ';
  }
  CHECK(receive(far, sent.size(), 5s) == sent);
  CHECK(steady::now() - begin >= 100ms);
}

TEST_CASE_FIXTURE(linked_pair, "a narrow link takes its time for many bytes") {
  proxy.set(link_proxy::there, {.bytes_per_second = 1'000'000});
  const auto begin = steady::now();
  const std::string many(200'000, 'x');
  send(near, many);
  CHECK(receive(far, many.size(), 10s) == many);
  CHECK(steady::now() - begin >= 150ms);
}

TEST_CASE_FIXTURE(linked_pair, "a lossy link holds the stream up, and loses nothing of it") {
  proxy.set(link_proxy::there, {.loss_percent = 50});
  const auto begin = steady::now();
  const std::string many(20'000, 'x'); // fourteen segments: some of them are lost
  send(near, many);
  CHECK(receive(far, many.size(), 30s) == many);
  CHECK(steady::now() - begin >= 200ms);
}

TEST_CASE("a link to nobody ends the connection") {
  auto listener = listen_tcp("127.0.0.1", 0).value();
  const auto port = local_port(listener);
  listener = {};
  link_proxy proxy{port, 1};
  wakeup stop;
  auto near = connect_tcp("127.0.0.1", proxy.port(), stop, steady::now() + 5s).value();
  char byte = 0;
  CHECK(becomes_true(5s, [&] { return ::recv(near.get(), &byte, 1, MSG_DONTWAIT) == 0; }));
}
