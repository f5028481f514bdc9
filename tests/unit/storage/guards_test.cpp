#include "storage/consensus/guards.hpp"
#include "storage/replication/membership.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

log_entry entry(uint64_t term, entry_kind kind = entry_kind::command) {
  return {term, kind, nullptr};
}

} // namespace

TEST_CASE("G1: an append of an old term from the log's beginning is dropped, others are not") {
  CHECK(stale_append({3, 0, 0, 0, {}}, 4));
  CHECK_FALSE(stale_append({4, 0, 0, 0, {}}, 4));
  CHECK_FALSE(stale_append({3, 7, 2, 0, {}}, 4));
}

TEST_CASE("G1: an answer never claims more than there is, a rejection not what it rejects") {
  append_answer answer{1, 0, 1000, 0, 0};
  clamp_rejection(answer, 20);
  CHECK(answer.last_index == 20);
  answer.rejected = 9;
  clamp_rejection(answer, 20);
  CHECK(answer.last_index == 8);
  answer.last_index = 3; // of a stale term's answer the core sets nothing: any value will do
  clamp_rejection(answer, 20);
  CHECK(answer.last_index == 8);
}

TEST_CASE("G2: a denied pre-vote tells the term of who denies") {
  vote_answer denied{3, false, true, 0, 0};
  tell_term(denied, 5);
  CHECK(denied.term == 5);
  vote_answer granted{3, true, true, 0, 0};
  tell_term(granted, 5);
  CHECK(granted.term == 3);
}

TEST_CASE("G3: a rejection of what is known to match is dropped") {
  CHECK(stale_rejection({1, 5, 9, 0, 0}, 5));
  CHECK_FALSE(stale_rejection({1, 6, 9, 0, 0}, 5));
  CHECK_FALSE(stale_rejection({1, 0, 9, 0, 0}, 5));
}

TEST_CASE("G4: an append that begins below the compaction is rebased onto it") {
  append_request request{3, 4, 1, 0, {entry(1), entry(1), entry(2), entry(3)}};
  rebase(request, 6, 1);
  CHECK(request.previous_index == 6);
  CHECK(request.previous_term == 1);
  REQUIRE(request.entries.size() == 2);
  CHECK(request.entries[0].term == 2);
  append_request covered{3, 1, 1, 0, {entry(1)}};
  rebase(covered, 6, 1);
  CHECK(covered.entries.empty());
  append_request later{3, 8, 2, 0, {entry(3)}};
  rebase(later, 6, 1);
  CHECK(later.previous_index == 8);
  CHECK(later.entries.size() == 1);
}

TEST_CASE("G5: a configuration comes first in its message") {
  auto parts = split_at_configurations(
      {3, 4, 1, 9, {entry(1), entry(2, entry_kind::configuration), entry(3)}});
  REQUIRE(parts.size() == 2);
  CHECK(parts[0].entries.size() == 1);
  CHECK(parts[0].previous_index == 4);
  CHECK(parts[1].entries.size() == 2);
  CHECK(parts[1].previous_index == 5);
  CHECK(parts[1].previous_term == 1);
  CHECK(parts[1].leader_commit == 9);
  CHECK(split_at_configurations({3, 4, 1, 9, {}}).size() == 1);
}

TEST_CASE("G9: a membership lies in the log in the order of its ids, whatever order is given") {
  const membership one{{3, "c"}, {1, "a"}, {2, "b"}};
  const membership other{{2, "b"}, {3, "c"}, {1, "a"}};
  CHECK(encode_membership(one) == encode_membership(other));
}
