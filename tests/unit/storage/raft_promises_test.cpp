// What the core owes to others, whatever libraft does.

#include "core_recorder.hpp"
#include "storage/consensus/membership_changes.hpp"

using namespace novacron;

TEST_CASE("a vote is stored before anybody hears of it") {
  core_recorder it;
  it.start({test_entry(1, {{1, "node-1"}, {2, "node-2"}, {3, "node-3"}})}, 1);
  it.hear(2, vote_request{2, 2, 5, 1, false, false});
  const auto answers = it.sent_to<vote_answer>(2);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].granted);
  REQUIRE(it.votes.size() > 0);
  CHECK(it.votes.back() == std::pair<uint64_t, uint64_t>{2, 2});
  CHECK(it.sent_before_vote == 0);
}

TEST_CASE("a standby is promoted only once it has caught up") {
  const membership members{
      {1, "node-1"}, {2, "node-2"}, {3, "node-3"}, {4, "node-4", member_role::standby}};
  core_recorder it;
  std::vector<log_entry> log{test_entry(1, members)};
  log.resize(200, test_entry(1, entry_kind::command, "x"));
  it.start(std::move(log), 1);
  it.elect({2, 3});
  const auto term = it.core.term();
  it.core.submit_barrier(it.now);
  const auto last = it.core.last_index();
  it.core.stored(last, term, it.now);
  for (uint64_t voter : {2, 3})
    it.hear(voter, append_answer{term, 0, last, 0, 0});
  REQUIRE(it.core.settled());

  membership_changes changes{it.core, 1, std::chrono::milliseconds{200}};
  changes.request(
      {membership_change::kind::promote, 4, {}}, [](const change_result&) {}, it.now);
  it.hear(4, append_answer{term, 0, 10, 0, 0});
  changes.poll(it.now);
  CHECK(it.core.membership_index() == 1);
  it.hear(4, append_answer{term, 0, last, 0, 0});
  changes.poll(it.now);
  CHECK(it.core.membership_index() == last + 1);
}

TEST_CASE(
    "a peer that is far behind gets what can be read at once, and the rest when it has that") {
  core_recorder it;
  it.on_disk = {test_entry(1, {{1, "node-1"}, {2, "node-2"}, {3, "node-3"}})};
  it.on_disk.resize(10, test_entry(1, entry_kind::command, "x"));
  raft_start from;
  from.id = 1;
  from.address = "node-1";
  from.term = 1;
  from.entries = it.on_disk;
  for (auto& each : from.entries)
    if (each.kind == entry_kind::command)
      each.data.reset(); // no longer in memory
  from.applied = 10;
  REQUIRE(it.core.start(std::move(from), it.now).has_value());
  it.elect({2, 3});
  const auto term = it.core.term();
  uint64_t has = 1;
  it.hear(2, append_answer{term, 10, has, 0, 0});
  while (has < 10) {
    CAPTURE(has);
    const auto appends = it.sent_to<append_request>(2);
    REQUIRE(!appends.empty());
    CHECK(appends.back().previous_index == has);
    CHECK(appends.back().entries.size() == 3);
    has += 3;
    it.sent.clear();
    it.hear(2, append_answer{term, 0, has, 0, 0});
    if (it.sent_to<append_request>(2).empty()) { // for it believes that all is on its way
      it.wait();
      const auto heartbeat = it.sent_to<append_request>(2).at(0).previous_index;
      it.sent.clear();
      it.hear(2, append_answer{term, heartbeat, has, 0, 0});
    }
  }
}
