#include "dwcp/session/kept_frames.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct sent_frames {
  kept_frames kept;
  kept_frames::time_point start{1h};

  /// Sent, and written by this connection at that time after the start.
  void send(uint64_t sequence, uint16_t connection, std::chrono::milliseconds at = 0ms) {
    frame x;
    x.header.sequence = sequence;
    x.payload.resize(100);
    kept.keep(std::make_shared<const frame>(std::move(x)));
    kept.taken(sequence, connection, start + at);
  }
  /// The sequence that the connection carries as well at that time; nothing: none.
  std::optional<uint64_t> repeat(uint16_t connection, std::chrono::milliseconds at) {
    const auto next = kept.repeat(connection, 200ms, start + at);
    return next ? std::optional{next->header.sequence} : std::nullopt;
  }
  static std::vector<uint64_t> sequences(const std::vector<shared_frame>& frames) {
    std::vector<uint64_t> all;
    for (const auto& each : frames)
      all.push_back(each->header.sequence);
    return all;
  }
};

} // namespace

TEST_CASE_FIXTURE(sent_frames, "what a lost connection took goes again, until it is acknowledged") {
  send(0, 1);
  send(1, 2);
  send(2, 1);
  send(3, 1);
  kept.acknowledged(1);
  CHECK(sequences(kept.lost(1)) == std::vector<uint64_t>{2, 3});
  CHECK(kept.lost(1).empty()); // they wait for another
  kept.taken(2, 2, start);
  CHECK(sequences(kept.lost(2)) == std::vector<uint64_t>{1, 2});
  kept.acknowledged(4);
  CHECK(kept.bytes() == 0);
}

TEST_CASE_FIXTURE(sent_frames,
                  "what the peer waits for goes over a free connection when it is late") {
  send(0, 1);
  CHECK(kept.only_on(0, 1));
  CHECK(kept.repeat_at(2, 200ms) == start + 200ms);
  CHECK_FALSE(repeat(2, 199ms));
  CHECK(repeat(2, 200ms) == 0);
  CHECK_FALSE(repeat(2, 10s)); // once
  CHECK_FALSE(repeat(3, 10s)); // and over no third one
  CHECK_FALSE(kept.only_on(0, 1));
  CHECK(kept.repeats() == 1);
}

TEST_CASE_FIXTURE(sent_frames, "a connection doesn't carry twice what it carries already") {
  send(0, 1);
  CHECK_FALSE(kept.repeat_at(1, 200ms));
  CHECK_FALSE(repeat(1, 10s));
}

TEST_CASE_FIXTURE(sent_frames,
                  "of the others, only those that the slow connection has are repeated") {
  send(0, 1);
  send(1, 2); // is there, most likely, and can't be taken yet
  send(2, 1, 100ms);
  CHECK(repeat(3, 200ms) == 0);
  CHECK_FALSE(repeat(3, 299ms));
  CHECK(repeat(3, 300ms) == 2);
  CHECK_FALSE(repeat(3, 10s));
  kept.acknowledged(1); // now the peer waits for another one
  CHECK(repeat(3, 10s) == 1);
}

TEST_CASE_FIXTURE(sent_frames, "what two connections carry goes again only when both are lost") {
  send(0, 1);
  REQUIRE(repeat(2, 1s) == 0);
  SUBCASE("the first one first") {
    CHECK(kept.lost(1).empty());
    CHECK(repeat(3, 1s) == 0); // it is on one again
    CHECK(kept.lost(3).empty());
    CHECK(sequences(kept.lost(2)) == std::vector<uint64_t>{0});
  }
  SUBCASE("the second one first") {
    CHECK(kept.lost(2).empty());
    CHECK(sequences(kept.lost(1)) == std::vector<uint64_t>{0});
  }
}

TEST_CASE_FIXTURE(sent_frames, "what waits for a connection isn't repeated") {
  send(0, 1);
  send(1, 1);
  REQUIRE(kept.lost(1).size() == 2);
  CHECK_FALSE(repeat(2, 10s));
}
