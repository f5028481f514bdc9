#include "dwcp/session/return_gate.hpp"
#include "messages/big_endian.hpp"
#include "messages/page_stream.hpp"
#include "sample_streams.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::testing;

namespace {

bytes pong(uint32_t value) {
  bytes x;
  put_big_endian(x, qemu_stream::return_pong);
  put_big_endian(x, uint16_t{4});
  put_big_endian(x, value);
  return x;
}

} // namespace

TEST_CASE("the destination's success waits for the gate, all before it doesn't") {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    random_numbers random{seed};
    auto all = pong(1);
    for (const auto each : pong(static_cast<uint32_t>(random())))
      all.push_back(each);
    const auto before = all.size();
    for (const auto each : qemu_stream::shut_message())
      all.push_back(each);
    return_gate gate;
    chop(all, random, 1 + random() % 20, [&](auto piece) { gate.push(piece); });
    CHECK(gate.ready().size() == before);
    CHECK(gate.holding());
    CHECK(gate.success());
    CHECK(gate.waiting_bytes() == all.size());
    gate.end();
    CHECK(bytes{gate.ready().begin(), gate.ready().end()} == bytes{all.begin(), all.begin() + 16});
    gate.passed(before);
    CHECK(gate.waiting_bytes() == all.size() - before);
    CHECK(!gate.done());
    gate.open();
    CHECK(bytes{gate.ready().begin(), gate.ready().end()} == qemu_stream::shut_message());
    gate.passed(all.size() - before);
    CHECK(gate.done());
  }
}

TEST_CASE("the destination's failure passes at once") {
  return_gate gate;
  gate.push(qemu_stream::shut_message(1));
  CHECK(gate.ready().size() == 8);
  CHECK(!gate.holding());
  CHECK(!gate.success());
  CHECK(gate.shut_value() == 1u);
}

TEST_CASE("a last word in an unknown form is no success") {
  bytes x;
  put_big_endian(x, qemu_stream::return_shut);
  put_big_endian(x, uint16_t{2});
  put_big_endian(x, uint16_t{0});
  return_gate gate;
  gate.push(x);
  CHECK(!gate.success());
  CHECK(!gate.holding());
}

TEST_CASE("an end without a last word is done when all has passed") {
  return_gate gate;
  gate.push(pong(1));
  gate.end();
  CHECK(!gate.done());
  gate.passed(8);
  CHECK(gate.done());
}

TEST_CASE("what a message holds is not taken for the next message") {
  return_gate gate;
  gate.push(pong(0x0001'0004)); // the head of a SHUT
  gate.push(pong(0));
  CHECK(gate.ready().size() == 16);
  CHECK(!gate.shut_value().has_value());
}
