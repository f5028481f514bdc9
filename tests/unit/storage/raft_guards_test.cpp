// What the core must not let libraft do. Each case fails without its guard:
// NOVACRON_WITHOUT=G1 unit_storage -tc='G1*'

#include "core_recorder.hpp"

using namespace novacron;

namespace {

const membership three{{1, "node-1"}, {2, "node-2"}, {3, "node-3"}};

std::vector<log_entry> log_of(const membership& members, uint64_t entries, uint64_t term = 1) {
  std::vector<log_entry> log{test_entry(1, members)};
  while (log.size() < entries)
    log.push_back(test_entry(term, entry_kind::command, "x"));
  return log;
}

} // namespace

TEST_CASE("G1: a request of an old term that could be taken for a success is not answered") {
  core_recorder it;
  it.start(log_of(three, 3), 5);
  it.hear(2, append_request{4, 0, 0, 0, {}});
  raft_snapshot old{9, 4, 1, encode_membership(three), "reference"};
  it.hear(2, install_request{4, old});
  for (const auto& answer : it.sent_to<append_answer>(2))
    CHECK_MESSAGE(answer.rejected != 0, "claims to have stored " << answer.last_index);
  CHECK(it.sent.empty());
}

TEST_CASE("G1: a rejection of an old term's request claims no more than what lies below it") {
  core_recorder it;
  it.start(log_of(three, 20), 5);
  // Three of them, for libraft puts nothing there, and that might be anything.
  for (uint64_t previous : {1, 9, 40}) {
    CAPTURE(previous);
    it.sent.clear();
    it.hear(2, append_request{4, previous, 1, 0, {}});
    const auto answers = it.sent_to<append_answer>(2);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].term == 5);
    CHECK(answers[0].rejected == previous);
    CHECK(answers[0].last_index == std::min<uint64_t>(20, previous - 1));
  }
}

TEST_CASE("G2: who is denied a pre-vote learns the term") {
  core_recorder it;
  it.start(log_of(three, 5, 4), 7);
  it.hear(2, vote_request{3, 2, 1, 1, false, true});
  const auto answers = it.sent_to<vote_answer>(2);
  REQUIRE(answers.size() == 1);
  CHECK_FALSE(answers[0].granted);
  CHECK(answers[0].term == 7);
}

TEST_CASE("G3: a rejection that was overtaken moves nothing back") {
  core_recorder it;
  it.start(log_of(three, 5), 1);
  it.elect({2, 3});
  it.core.stored(it.core.last_index(), it.core.term(), it.now);
  const auto term = it.core.term();
  it.hear(2, append_answer{term, 0, 5, 0, 0});
  REQUIRE(it.core.match_index(2) == 5);
  // It doesn't hear of it for a while, and is probed at 5 again.
  for (int i = 0; i < 8; ++i) {
    it.hear(3, append_answer{term, 0, 5, 0, 0});
    it.wait();
  }
  it.sent.clear();
  it.hear(2, append_answer{term, 5, 2, 0, 0});
  for (int i = 0; i < 3; ++i)
    it.wait();
  for (const auto& append : it.sent_to<append_request>(2))
    CHECK(append.previous_index >= 5);
}

TEST_CASE("G4: entries that a compaction holds are passed over, the rest is appended") {
  core_recorder it;
  const compaction_point point{10, 2, 1, encode_membership(three)};
  it.start({}, 2, point);
  append_request request{2, 7, 1, 12, {}};
  for (int i = 0; i < 5; ++i)
    request.entries.push_back(test_entry(2, entry_kind::command, "x"));
  it.hear(2, request);
  REQUIRE(it.appended.size() == 1);
  CHECK(it.appended[0] == std::pair<uint64_t, size_t>{11, 2});
}

TEST_CASE("G5: a membership in the middle of a message gets its own index") {
  core_recorder it;
  it.start(log_of(three, 1), 1);
  append_request request{1, 1, 1, 1, {test_entry(1, entry_kind::command, "x")}};
  request.entries.push_back(test_entry(1, {{1, "node-1"}, {2, "node-2"}}));
  it.hear(2, request);
  it.core.stored(3, 1, it.now);
  // The one before it is replaced, by a leader that doesn't know it: the
  // membership goes with it.
  it.hear(3, append_request{2, 2, 1, 1, {test_entry(2, entry_kind::command, "y")}});
  CHECK(it.appended.back() == std::pair<uint64_t, size_t>{3, 1});
  CHECK(it.core.voters() == 3);
  CHECK(it.appended.size() == 3);
}

TEST_CASE("G6: no change of the members before the term has committed something") {
  core_recorder it;
  it.start(log_of(three, 1), 1);
  it.elect({2, 3});
  auto four = three;
  four.push_back({4, "node-4", member_role::standby});
  CHECK(it.core.change(four, it.now) == change_answer::too_early);
  it.core.stored(2, it.core.term(), it.now);
  it.hear(2, append_answer{it.core.term(), 0, 2, 0, 0});
  CHECK(it.core.change(four, it.now) == change_answer::submitted);
}

TEST_CASE("G8: a standby forgets a leader that it doesn't hear of") {
  const membership members{{1, "node-1", member_role::standby}, {2, "node-2"}, {3, "node-3"}};
  core_recorder it;
  it.start(log_of(members, 1), 1);
  it.hear(2, append_request{1, 1, 1, 1, {}});
  CHECK(it.core.leader_id() == 2);
  it.wait();
  it.wait();
  CHECK(it.core.leader_id() == 0);
}

TEST_CASE("G10: a lone voter leads in a term of its own, and has stored its vote") {
  core_recorder it;
  it.start(log_of({{1, "node-1"}}, 3), 4);
  CHECK(it.core.leader());
  CHECK(it.core.term() == 5);
  REQUIRE(it.votes.size() == 1);
  CHECK(it.votes[0] == std::pair<uint64_t, uint64_t>{5, 1});
}

TEST_CASE("G10: so does one that is left alone while it follows") {
  core_recorder it;
  it.start(log_of({{1, "node-1"}, {2, "node-2"}}, 1), 4);
  it.hear(2, append_request{4, 1, 1, 1, {test_entry(4, {{1, "node-1"}})}});
  it.core.stored(2, 4, it.now);
  it.hear(2, take_over{4, 2, 4}); // not even then at once
  CHECK_FALSE(it.core.leader());
  it.wait();
  it.wait();
  CHECK(it.core.leader());
  CHECK(it.core.term() == 5);
}

TEST_CASE("G11: a standby gives its vote to who says that it has one") {
  const membership members{{1, "node-1", member_role::standby}, {2, "node-2"}};
  core_recorder it;
  it.start(log_of(members, 1), 1);
  it.hear(2, vote_request{2, 2, 5, 1, false, false});
  const auto answers = it.sent_to<vote_answer>(2);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].granted);
  CHECK(it.votes.back() == std::pair<uint64_t, uint64_t>{2, 2});
  CHECK(it.core.voters() == 1);
}

TEST_CASE("G13: an answer to a candidate that is none any more changes nothing") {
  core_recorder it;
  it.start(log_of(three, 1), 4);
  it.hear(2, vote_answer{5, false, true, 0, 0});
  CHECK(it.core.term() == 4);
  CHECK(it.votes.empty());
}

TEST_CASE("G12: a change of the members leaves the leader only once it is stored there") {
  core_recorder it;
  it.start(log_of(three, 1), 1);
  it.elect({2, 3});
  const auto term = it.core.term();
  it.core.submit_barrier(it.now);
  it.core.stored(2, term, it.now);
  it.hear(2, append_answer{term, 0, 2, 0, 0});
  it.hear(3, append_answer{term, 0, 2, 0, 0});
  REQUIRE(it.core.settled());
  it.sent.clear();
  REQUIRE(it.core.change({{1, "node-1"}, {2, "node-2"}}, it.now) == change_answer::submitted);
  for (const auto& append : it.sent_to<append_request>(2))
    CHECK(append.entries.empty());
  it.core.stored(3, term, it.now);
  // It is asked for, or sent again, as whatever gets lost.
  it.hear(2, append_answer{term, 3, 2, 0, 0});
  for (int i = 0; i < 3; ++i)
    it.wait();
  bool left = false;
  for (const auto& append : it.sent_to<append_request>(2))
    left |= !append.entries.empty();
  CHECK(left);
}
