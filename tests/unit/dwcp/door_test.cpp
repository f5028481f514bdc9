#include "dwcp/codec/batch_encoder.hpp"
#include "dwcp/session/limits.hpp"
#include "dwcp/transport/open_request.hpp"
#include "dwcp/transport/sockets.hpp"
#include "dwcp/transport/tls_stream.hpp"
#include "qemu_pair.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + 10s;
}

/// The source's session, which must end with this code; QEMU sees it.
void check_refused(qemu_pair& pair, dwcp_errc expected) {
  auto source = guest_socket::connect(pair.sending.stream_socket);
  CHECK(source.read_all().empty());
  CHECK(code(pair.sent.wait()) == expected);
}

void check_still_works(qemu_pair& pair) {
  random_numbers random{1};
  pair.sent = {};
  pair.sender.reset();
  pair.receiver.reset();
  pair.received = {};
  pair.ticket.migration.value = random_uuid();
  const auto stream = guest_stream(random, {50, 1, 100, true});
  CHECK(migrate(pair, stream, random).at_destination == stream);
  CHECK(why(pair.sent.wait()) == "");
}

/// A connection with a good certificate, that can send what it likes.
std::unique_ptr<tls_stream> insider(qemu_pair& pair, const wakeup& never) {
  const auto tls = tls_context::load(pair.authority.issue(pair.ticket.source)).value();
  auto socket = connect_tcp("127.0.0.1", pair.door->port(), never, soon()).value();
  auto stream = std::make_unique<tls_stream>(tls, std::move(socket), tls_stream::end::client,
                                             std::make_shared<wire_counter>());
  CHECK(stream->handshake(never, soon()).has_value());
  return stream;
}

frame opening(const session_ticket& ticket, uint64_t session, uint16_t streams = 1) {
  frame open;
  open.header.kind = frame_kind::open;
  open.header.session = session;
  open.payload = encode(open_request{ticket, 0, streams});
  return open;
}

} // namespace

TEST_CASE("a wrong token opens nothing") {
  qemu_pair pair;
  pair.expect();
  pair.ticket.token[31] ^= std::byte{1};
  pair.start();
  check_refused(pair, dwcp_errc::unauthorised);
  CHECK(pair.received.calls() == 0);
  check_still_works(pair);
}

TEST_CASE("another epoch's ticket opens nothing") {
  qemu_pair pair;
  pair.expect();
  pair.ticket.epoch.number += 1;
  pair.start();
  check_refused(pair, dwcp_errc::unauthorised);
  CHECK(pair.received.calls() == 0);
}

TEST_CASE("a migration that nobody expects opens nothing") {
  qemu_pair pair;
  pair.start();
  check_refused(pair, dwcp_errc::unauthorised);
  check_still_works(pair);
}

TEST_CASE("a node that isn't the source opens nothing, though it has the token") {
  qemu_pair pair;
  pair.expect();
  pair.start(pair.authority.issue(node_id{random_uuid()}));
  check_refused(pair, dwcp_errc::unauthorised);
  CHECK(pair.received.calls() == 0);
}

TEST_CASE("a certificate that names no node, or two, opens nothing") {
  for (const bool two : {false, true}) {
    qemu_pair pair;
    pair.expect();
    const auto own = "novacron:node:" + to_string(pair.ticket.source);
    pair.start(
        pair.authority.issue(two ? std::vector{own, "novacron:node:" + to_string(random_uuid())}
                                 : std::vector<std::string>{"novacron:role:host"}));
    check_refused(pair, dwcp_errc::unauthorised);
    CHECK(pair.received.calls() == 0);
  }
}

TEST_CASE("another cluster's certificate opens nothing") {
  qemu_pair pair;
  pair.expect();
  const test_authority other;
  auto files = other.issue(pair.ticket.source);
  files.authority
      = pair.authority.issue(pair.ticket.source).authority; // trusts us; we don't trust it
  pair.start(files);
  check_refused(pair, dwcp_errc::unauthorised);
  CHECK(pair.received.calls() == 0);
  check_still_works(pair);
}

TEST_CASE("the source sends nothing to a destination of another cluster or another node") {
  qemu_pair pair;
  const test_authority other;
  pair.start(other.issue(pair.ticket.source));
  check_refused(pair, dwcp_errc::unauthorised);

  qemu_pair second;
  second.expect();
  second.ticket.destination.value = random_uuid();
  second.start();
  check_refused(second, dwcp_errc::unauthorised);
  // By the source itself, before its token has left.
  CHECK(why(second.sent.wait()).find("its certificate names node") != std::string::npos);
  CHECK(second.received.calls() == 0);
}

TEST_CASE("without anyone at the port the session ends as unreachable") {
  qemu_pair pair;
  pair.door.reset();
  pair.start();
  check_refused(pair, dwcp_errc::unreachable);
}

TEST_CASE("without the incoming QEMU both ends hear why") {
  qemu_pair pair;
  pair.receiving.stream_socket = pair.folder / "nobody.sock";
  pair.expect();
  pair.start();
  check_refused(pair, dwcp_errc::stream_broken);
  const auto received = pair.received.wait();
  CHECK(code(received) == dwcp_errc::stream_broken);
  CHECK(why(received).find("nobody.sock") != std::string::npos);
  CHECK(why(pair.sent.wait()).find("nobody.sock") != std::string::npos);
}

TEST_CASE("a ticket is good for one session") {
  random_numbers random{2};
  qemu_pair pair;
  pair.expect();
  pair.start();
  auto source = guest_socket::connect(pair.sending.stream_socket);
  auto destination = pair.incoming->accept();
  const wakeup never;
  const auto stream = insider(pair, never);
  CHECK(stream->write_frame(opening(pair.ticket, 1), never, soon()).has_value());
  const auto answer = stream->read_frame(never, 10s);
  REQUIRE(answer.has_value());
  CHECK(answer->header.kind == frame_kind::abort);
  CHECK(read_abort(answer->payload).code == dwcp_errc::unauthorised);
  // The one that was first isn't disturbed.
  CHECK(source.write(random_bytes(random, 1000)));
  CHECK(destination.read(1000).size() == 1000);
}

TEST_CASE("a migration is expected once") {
  qemu_pair pair;
  pair.expect();
  CHECK(code(pair.door->expect(pair.ticket, pair.receiving, pair.received.callback()))
        == dwcp_errc::too_many);
  pair.receiver.reset();
  CHECK(pair.received.calls() == 1);
  CHECK(pair.door->expect(pair.ticket, pair.receiving, pair.received.callback()).has_value());
}

TEST_CASE("garbage on the port closes its own connection and nothing else") {
  random_numbers random{3};
  qemu_pair pair;
  const wakeup never;
  for (int i = 0; i < 10; ++i) {
    guest_socket stranger{connect_tcp("127.0.0.1", pair.door->port(), never, soon()).value()};
    stranger.write(random_bytes(random, 1 + random() % 5000));
    stranger.read_all(); // an alert, then the end
  }
  check_still_works(pair);
}

TEST_CASE("garbage from a node of the cluster closes its own connection and nothing else") {
  random_numbers random{4};
  qemu_pair pair;
  pair.expect();
  const wakeup never;
  {
    const auto stream = insider(pair, never);
    frame x;
    x.header.kind = frame_kind::batch;
    x.payload = random_bytes(random, 500);
    CHECK(stream->write_frame(x, never, soon()).has_value());
    const auto answer = stream->read_frame(never, 10s);
    REQUIRE(answer.has_value());
    CHECK(answer->header.kind == frame_kind::abort);
    CHECK(!stream->read_frame(never, 10s).has_value());
  }
  CHECK(pair.received.calls() == 0);
  check_still_works(pair);
}

TEST_CASE("a batch that was changed above TLS is not released, and both ends hear of it") {
  qemu_pair pair;
  pair.expect();
  const wakeup never;
  const auto stream = insider(pair, never);
  CHECK(stream->write_frame(opening(pair.ticket, 1), never, soon()).has_value());
  CHECK(stream->read_frame(never, 10s).value().header.kind == frame_kind::accepted);
  auto destination = pair.incoming->accept();

  const bytes content(1000, std::byte{1});
  batch_encoder encoder{session_seed(pair.ticket), 0};
  page_record record;
  record.bytes = content;
  const auto batch = [&](uint64_t sequence) {
    encoder.add(record);
    auto made = encoder.seal();
    frame x;
    x.header.kind = frame_kind::batch;
    x.header.session = 1;
    x.header.sequence = sequence;
    x.header.raw_bytes = made.raw_bytes;
    x.header.chain = made.chain;
    x.payload = std::move(made.plan);
    return x;
  };
  CHECK(stream->write_frame(batch(0), never, soon()).has_value());
  auto bad = batch(1);
  bad.payload[700] ^= std::byte{1};
  CHECK(stream->write_frame(bad, never, soon()).has_value());
  CHECK(destination.read_all() == content); // the first, nothing of the second
  const auto received = pair.received.wait();
  CHECK(code(received) == dwcp_errc::digest_mismatch);
  for (;;) {
    const auto answer = stream->read_frame(never, 10s);
    REQUIRE(answer.has_value());
    if (answer->header.kind != frame_kind::abort)
      continue;
    CHECK(read_abort(answer->payload).code == dwcp_errc::digest_mismatch);
    break;
  }
}

TEST_CASE("strangers who say nothing can't keep sessions out for longer than the time limit") {
  qemu_pair pair;
  const wakeup never;
  std::vector<guest_socket> strangers;
  for (size_t i = 0; i < 2 * session_limits::half_open_connections; ++i)
    strangers.emplace_back(connect_tcp("127.0.0.1", pair.door->port(), never, soon()).value());
  // Those beyond the bound are closed at once, the others when their time is over.
  const auto began = std::chrono::steady_clock::now();
  for (size_t i = session_limits::half_open_connections; i < strangers.size(); ++i)
    CHECK(strangers[i].read_all().empty());
  CHECK(std::chrono::steady_clock::now() - began < session_limits::opening / 2);
  for (size_t i = 0; i < session_limits::half_open_connections; ++i)
    CHECK(strangers[i].read_all().empty());
  CHECK(std::chrono::steady_clock::now() - began < session_limits::opening + 3s);
  check_still_works(pair);
}

namespace {

/// Leaves the process without a free descriptor, as long as it lives.
class descriptors_used_up {
public:
  descriptors_used_up() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    auto few = before_;
    few.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &few);
    while (descriptor x{::open("/dev/null", O_RDONLY | O_CLOEXEC)})
      taken_.push_back(std::move(x));
  }
  ~descriptors_used_up() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  descriptors_used_up(const descriptors_used_up&) = delete;
  descriptors_used_up& operator=(const descriptors_used_up&) = delete;

  void free_one() { taken_.pop_back(); }

private:
  rlimit before_{};
  std::vector<descriptor> taken_;
};

std::chrono::nanoseconds processor_time() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

} // namespace

TEST_CASE("without a free descriptor the door waits, doesn't spin, and serves who waited") {
  qemu_pair pair;
  const wakeup never;
  const auto tls = tls_context::load(pair.authority.issue(pair.ticket.source)).value();
  descriptor waiting;
  {
    descriptors_used_up none;
    none.free_one(); // for our end
    waiting = connect_tcp("127.0.0.1", pair.door->port(), never, soon()).value();
    const auto before = processor_time();
    ::poll(nullptr, 0, 400); // the span that is measured
    CHECK(processor_time() - before < 20ms);
  }
  tls_stream stream{tls, std::move(waiting), tls_stream::end::client,
                    std::make_shared<wire_counter>()};
  CHECK(stream.handshake(never, soon()).has_value());
}

TEST_CASE("a source without a free descriptor for its QEMU says so and ends") {
  qemu_pair pair;
  pair.expect();
  pair.start();
  REQUIRE(eventually([&] { return pair.receiver->statistics().streams == pair.sending.streams; }));
  const auto destination = pair.incoming->accept(); // the other end needs no more of them
  guest_socket source;
  {
    descriptors_used_up none;
    none.free_one();
    source = guest_socket::connect(pair.sending.stream_socket);
    CHECK(code(pair.sent.wait()) == dwcp_errc::stream_broken);
  }
  CHECK(why(pair.sent.wait()).find("can't accept") != std::string::npos);
}

TEST_CASE("without free descriptors no session begins, at either end, and its owner hears why") {
  qemu_pair pair;
  const auto files = pair.authority.issue(pair.ticket.source);
  {
    descriptors_used_up none;
    CHECK(code(pair.door->expect(pair.ticket, pair.receiving, pair.received.callback()))
          == dwcp_errc::too_many);
    none.free_one();
    none.free_one(); // for the stream socket, and the first of what it waits for
    CHECK(code(start_page_sender(files, pair.ticket, pair.sending, pair.sent.callback()))
          == dwcp_errc::too_many);
  }
  CHECK(pair.received.calls() == 0);
  CHECK(pair.sent.calls() == 0);
  check_still_works(pair);
}

TEST_CASE("a session may have as many connections as there may be, all at once") {
  random_numbers random{5};
  qemu_pair pair;
  pair.sending.streams = max_streams;
  const auto stream = guest_stream(random, {50, 1, 100, true});
  CHECK(migrate(pair, stream, random).at_destination == stream);
  CHECK(why(pair.sent.wait()) == "");
}
