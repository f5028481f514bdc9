// What becomes of a snapshot that was fetched: the log and the term may have gone on meanwhile.

#include "core_recorder.hpp"

using namespace novacron;

namespace {

const membership three{{1, "node-1"}, {2, "node-2"}, {3, "node-3"}};

/// Member 1 has three entries, and fetches a snapshot of five more from member 2, in term 1.
struct fetching_member : core_recorder {
  static constexpr uint64_t offered = 8;

  fetching_member() {
    std::vector<log_entry> log{test_entry(1, three)};
    log.resize(3, test_entry(1, entry_kind::command, "x"));
    start(std::move(log), 1);
    hear(2, install_request{1, {offered, 1, 1, encode_membership(three), "reference"}});
    REQUIRE(fetched == std::vector{offered});
  }

  /// The fetch ends; what was said before doesn't count.
  void end(bool complete = true) {
    sent.clear();
    core.fetched(complete, now);
  }

  void gave_it_up() const {
    CHECK(installed.empty());
    CHECK(sent.empty()); // no answer claims what the snapshot holds
    CHECK_FALSE(core.installing());
  }
};

} // namespace

TEST_CASE_FIXTURE(fetching_member, "a snapshot that was fetched is installed, and then answered") {
  end();
  CHECK(installed == std::vector{offered});
  CHECK(core.installing());
  CHECK(sent.empty());
  core.installed(now);
  CHECK_FALSE(core.installing());
  CHECK(core.commit_index() == offered);
  const auto answers = sent_to<append_answer>(2);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].rejected == 0);
  CHECK(answers[0].last_index == offered);
}

TEST_CASE_FIXTURE(fetching_member, "a snapshot of which a part couldn't be had isn't installed") {
  end(false);
  gave_it_up();
}

TEST_CASE_FIXTURE(fetching_member, "a snapshot that was offered in an older term isn't installed") {
  hear(3, append_request{2, 3, 1, 3, {}});
  REQUIRE(core.term() == 2);
  end();
  gave_it_up();
}

TEST_CASE_FIXTURE(fetching_member, "a snapshot isn't installed by who leads by now") {
  elect({2, 3});
  end();
  gave_it_up();
  CHECK(core.leader());
}

TEST_CASE_FIXTURE(fetching_member, "a snapshot that the log has overtaken isn't installed") {
  std::vector<log_entry> rest(offered - 2, test_entry(1, entry_kind::command, "x"));
  hear(2, append_request{1, 3, 1, offered + 1, rest});
  core.stored(offered + 1, 1, now);
  REQUIRE(core.commit_index() == offered + 1);
  end();
  gave_it_up();
  CHECK(core.applied_index() == offered + 1);
}
