#include "dwcp/session/link_share.hpp"
#include "messages/page_stream.hpp"
#include "qemu_pair.hpp"
#include "tcp_proxy.hpp"

#include <doctest/doctest.h>
#include <numeric>
#include <sys/socket.h>
#include <sys/stat.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

const bytes last_word = qemu_stream::shut_message();

void check_carried(const carried& x, std::span<const std::byte> stream) {
  CHECK(std::ranges::equal(x.at_destination, stream));
  REQUIRE(x.at_source.size() == 16);
  CHECK(std::ranges::equal(std::span{x.at_source}.subspan(8), last_word));
}

} // namespace

TEST_CASE("a session takes no more than its host's share, and one that waits loses nothing") {
  random_numbers random{77};
  qemu_pair pair;
  constexpr uint64_t rate = 2'000'000; // bytes a second
  pair.sending.share = link_share::make(rate);
  pair.sending.compress = false;
  const auto stream = noise_stream(random, 1000);
  const auto began = std::chrono::steady_clock::now();
  const auto carried = migrate(pair, stream, random);
  CHECK(carried.at_destination == stream);
  // What is read when its turn comes, and what the lanes hold, goes before it counts.
  const auto least = std::chrono::duration<double>{(static_cast<double>(stream.size()) - 1.6e6)
                                                   / static_cast<double>(rate)};
  CHECK(std::chrono::steady_clock::now() - began > least);
  CHECK(pair.sent.wait().has_value());
}

TEST_CASE("a session carries a guest's stream there and the return path back, byte for byte") {
  random_numbers random{1};
  for (const size_t pages : {1u, 300u, 5000u}) {
    CAPTURE(pages);
    qemu_pair pair;
    pair.sending.streams = pages == 300 ? 1 : 3;
    const auto stream = guest_stream(random, {pages, 3, 5000, true});
    check_carried(migrate(pair, stream, random), stream);
    const auto sent = pair.sent.wait();
    const auto received = pair.received.wait();
    REQUIRE(why(sent) == "");
    REQUIRE(why(received) == "");
    CHECK(sent->chain_ok);
    CHECK(received->chain_ok);
    CHECK(sent->guest_bytes == stream.size());
    CHECK(received->guest_bytes == stream.size());
    CHECK(sent->streams == pair.sending.streams);
    CHECK(received->streams == pair.sending.streams);
    CHECK(sent->full_pages == received->full_pages);
    CHECK(sent->zero_pages == received->zero_pages);
    CHECK(sent->opaque_bytes == received->opaque_bytes);
    CHECK(std::accumulate(sent->raw_bytes.begin(), sent->raw_bytes.end(), uint64_t{0})
          == sent->opaque_bytes);
    CHECK(sent->batches == received->batches);
    CHECK(sent->rounds == 3);
    CHECK(received->rounds == 3);
  }
}

TEST_CASE("real QEMUs' streams are carried byte for byte") {
  for (const auto& file : captured_streams()) {
    CAPTURE(file);
    random_numbers random{2};
    qemu_pair pair;
    const auto stream = read_file(file);
    const auto x = migrate(pair, stream, random);
    CHECK(x.at_destination == stream);
    const auto sent = pair.sent.wait();
    REQUIRE(why(sent) == "");
    CHECK(sent->chain_ok);
    CHECK(sent->wire_bytes < stream.size());
    MESSAGE(file.filename().native(), ": ", sent->guest_bytes, " guest bytes, ", sent->wire_bytes,
            " wire bytes, ", sent->batches, " batches");
  }
}

TEST_CASE("bytes that nobody understands are carried as well, in both directions") {
  random_numbers random{3};
  qemu_pair pair;
  pair.sending.compress = false;
  auto [source, destination] = pair.connect();
  const auto there = random_bytes(random, 3'000'000);
  std::thread writer{[&, &out = source] {
    CHECK(out.write(there));
    out.close_write(); // a half-close: the other direction goes on
  }};
  CHECK(destination.read_all() == there);
  writer.join();
  const auto back = random_bytes(random, 500'000);
  CHECK(destination.write(last_word));
  CHECK(destination.write(back));
  destination.close();
  CHECK(source.read(last_word.size()) == last_word);
  CHECK(source.read_all() == back);
  source.close();
  const auto sent = pair.sent.wait();
  REQUIRE(why(sent) == "");
  CHECK(sent->chain_ok);
  CHECK(why(pair.received.wait()) == "");
}

TEST_CASE("wire bytes are what the sockets carried") {
  random_numbers random{4};
  qemu_pair pair;
  tcp_proxy proxy{pair.door->port(), {}};
  pair.sending.destination_port = proxy.port();
  const auto stream = guest_stream(random, {2000, 3, 5000, true});
  check_carried(migrate(pair, stream, random), stream);
  const auto sent = pair.sent.wait();
  const auto received = pair.received.wait();
  REQUIRE(why(sent) == "");
  REQUIRE(why(received) == "");
  // Their farewells may be counted by one end and not yet by the other.
  CHECK(eventually([&] {
    return pair.sender->statistics().wire_bytes == proxy.bytes()
           && pair.receiver->statistics().wire_bytes == proxy.bytes();
  }));
}

TEST_CASE("a stream that falls silent is delivered all the same") {
  random_numbers random{5};
  qemu_pair pair;
  auto [source, destination] = pair.connect();
  const auto stream = guest_stream(random, {50, 2, 100, true});
  const auto half = std::span{stream}.first(stream.size() / 2);
  CHECK(source.write(half));
  // All but the piece that is not complete.
  CHECK(destination.read(half.size() - 5000).size() == half.size() - 5000);
}

TEST_CASE("a session lives as long as its ends do, however silent QEMU is") {
  random_numbers random{6};
  qemu_pair pair;
  pair.sending.silence_limit = pair.receiving.silence_limit = 200ms;
  auto [source, destination] = pair.connect();
  // Ten times the limit: that nothing ends is what this waits for.
  CHECK(!eventually([&] { return pair.sent.calls() + pair.received.calls() > 0; }, 2s));
  const auto stream = guest_stream(random, {50, 2, 100, true});
  CHECK(source.write(stream));
  CHECK(destination.read(stream.size()) == stream);
}

TEST_CASE("the last word waits until the destination has released everything") {
  random_numbers random{7};
  qemu_pair pair;
  pair.sending.compress = false;
  auto [source, destination] = pair.connect();
  const auto stream = guest_stream(random, {3000, 1, 100, true});
  std::thread writer{[&, &out = source] { out.write(stream); }};
  // The destination says that it is done while most of it is still under way.
  CHECK(destination.read(100'000).size() == 100'000);
  CHECK(destination.write(last_word));
  char byte = 0;
  CHECK(!eventually([&] { return ::recv(source.fd(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0; },
                    300ms));
  CHECK(destination.read(stream.size() - 100'000).size() == stream.size() - 100'000);
  writer.join();
  CHECK(source.read(8) == last_word);
}

TEST_CASE("a destination that could not load the guest tells the source at once") {
  random_numbers random{8};
  qemu_pair pair;
  auto [source, destination] = pair.connect();
  const auto stream = guest_stream(random, {100, 1, 100, true});
  CHECK(source.write(stream));
  const auto refusal = qemu_stream::shut_message(1);
  CHECK(destination.write(refusal));
  CHECK(source.read(8) == refusal);
  source.close();
  CHECK(code(pair.sent.wait()) == dwcp_errc::stream_broken);
  CHECK(code(pair.received.wait()) == dwcp_errc::stream_broken);
}

TEST_CASE("a stream that ends in the middle of memory is no good end, at either end") {
  for (const bool return_path : {true, false}) {
    CAPTURE(return_path);
    random_numbers random{9};
    qemu_pair pair;
    auto [source, destination] = pair.connect();
    const auto stream = guest_stream(random, {500, 2, 100, return_path});
    CHECK(source.write(std::span{stream}.first(stream.size() / 2)));
    source.close();
    CHECK(code(pair.sent.wait()) == dwcp_errc::stream_broken);
    CHECK(code(pair.received.wait()) == dwcp_errc::stream_broken);
    destination.read_all(); // QEMU sees the end
  }
}

TEST_CASE("a stream without the destination's last word is no good end") {
  random_numbers random{10};
  qemu_pair pair;
  auto [source, destination] = pair.connect();
  const auto stream = guest_stream(random, {100, 2, 100, true});
  CHECK(source.write(stream));
  CHECK(destination.read(stream.size()) == stream);
  destination.close();
  CHECK(source.read_all().empty());
  source.close();
  CHECK(code(pair.sent.wait()) == dwcp_errc::stream_broken);
  CHECK(code(pair.received.wait()) == dwcp_errc::stream_broken);
}

TEST_CASE("a destination QEMU that dies breaks the source's stream") {
  random_numbers random{11};
  qemu_pair pair;
  pair.sending.compress = false;
  auto [source, destination] = pair.connect();
  const auto stream = guest_stream(random, {8000, 1, 100, true});
  std::thread writer{[&, &out = source] { CHECK(!out.write(stream)); }};
  destination.read(100'000);
  destination.close();
  writer.join();
  CHECK(code(pair.sent.wait()) == dwcp_errc::stream_broken);
  CHECK(code(pair.received.wait()) == dwcp_errc::stream_broken);
}

TEST_CASE("the stream socket is for everyone who reaches its folder, once") {
  qemu_pair pair;
  pair.expect();
  pair.start();
  struct stat info {};
  REQUIRE(::stat(pair.sending.stream_socket.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0666);
  auto source = guest_socket::connect(pair.sending.stream_socket);
  pair.incoming->accept();
  CHECK(!std::filesystem::exists(pair.sending.stream_socket));
}

TEST_CASE("what can't be started says why") {
  qemu_pair pair;
  pair.sending.stream_socket = pair.folder / std::string(120, 'x');
  CHECK(code(start_page_sender(pair.authority.issue(pair.ticket.source), pair.ticket, pair.sending,
                               pair.sent.callback()))
        == dwcp_errc::too_many);
  pair.sending.stream_socket = pair.folder / "no-such-folder/x";
  CHECK(code(start_page_sender(pair.authority.issue(pair.ticket.source), pair.ticket, pair.sending,
                               pair.sent.callback()))
        == dwcp_errc::unreachable);
  pair.sending.stream_socket = pair.folder / "x";
  CHECK(code(start_page_sender({pair.folder / "none", pair.folder / "none", pair.folder / "none"},
                               pair.ticket, pair.sending, pair.sent.callback()))
        == dwcp_errc::unauthorised);
  CHECK(code(open_page_door(pair.authority.issue(pair.ticket.destination), "127.0.0.1",
                            pair.door->port()))
        == dwcp_errc::unreachable);
  CHECK(pair.sent.calls() == 0);
}

TEST_CASE("a source's QEMU that reads late spoils nothing that both ends have agreed on") {
  random_numbers random{41};
  qemu_pair pair;
  pair.sending.resume_limit = 0s; // so that any loss is the end
  auto [source, destination] = pair.connect();
  const auto stream = random_bytes(random, 300'000);
  const auto said = random_bytes(random, 600'000);
  CHECK(source.write(stream));
  source.close_write();
  CHECK(destination.read(stream.size()) == stream);
  CHECK(destination.write(said));
  destination.close();
  // The destination waits a second for the source to close, and closes itself.
  const auto received = pair.received.wait();
  REQUIRE_MESSAGE(received.has_value(), why(received));
  CHECK(source.read(said.size()) == said);
  source.close();
  const auto sent = pair.sent.wait();
  CHECK_MESSAGE(sent.has_value(), why(sent));
}
