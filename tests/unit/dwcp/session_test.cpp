#include "qemu_pair.hpp"

#include "messages/page_stream.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

TEST_CASE("a session carries a guest's stream there and the return path back, byte for byte") {
  random_numbers random{1};
  for (const size_t pages : {1u, 300u, 5000u}) {
    CAPTURE(pages);
    qemu_pair pair;
    const auto stream = guest_stream(random, {pages, 3, 5000, true});
    const auto x = migrate(pair, stream, random);
    CHECK(x.at_destination == stream);
    REQUIRE(x.at_source.size() == 16);
    const auto shut = qemu_stream::shut_message();
    CHECK(std::equal(shut.begin(), shut.end(), x.at_source.begin() + 8));
    const auto sent = pair.sent.wait();
    const auto received = pair.received.wait();
    REQUIRE(why(sent) == "");
    REQUIRE(why(received) == "");
    CHECK(sent->chain_ok);
    CHECK(received->chain_ok);
    CHECK(sent->guest_bytes == stream.size());
    CHECK(received->guest_bytes == stream.size());
    CHECK(sent->streams == 2);
    CHECK(sent->rounds == 3);
  }
}
