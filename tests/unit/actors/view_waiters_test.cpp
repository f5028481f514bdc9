#include "actors/view/view_table.hpp"
#include "view_records.hpp"

#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

struct waiting_fixture {
  view_table table{view_limits{10, 2}};
  view_table::clock::time_point now{1h};
  std::vector<wait_end> ends;

  view_waiters::function note() {
    return [this](wait_end how) { ends.push_back(how); };
  }

  void operation(uint64_t revision, operation_state state) {
    table.changed(operation_of(5, revision, state));
    table.advance(revision);
  }
};

using wait_ends = std::vector<wait_end>;

} // namespace

TEST_CASE_FIXTURE(waiting_fixture, "a wait for a revision ends when it has come") {
  table.when_revision(7, now + 1s, note());
  table.advance(6);
  CHECK(ends.empty());
  table.advance(8);
  CHECK(ends == wait_ends{wait_end::reached});
  table.expire(now + 2s);
  CHECK(ends.size() == 1);
}

TEST_CASE_FIXTURE(waiting_fixture, "a revision that is there already is not waited for") {
  table.advance(8);
  table.when_revision(7, now + 1s, note());
  CHECK(ends == wait_ends{wait_end::reached});
}

TEST_CASE_FIXTURE(waiting_fixture, "a wait ends at its deadline, once") {
  table.when_revision(7, now + 1s, note());
  table.expire(now + 999ms);
  CHECK(ends.empty());
  table.expire(now + 1s);
  table.advance(8);
  CHECK(ends == wait_ends{wait_end::expired});
}

TEST_CASE_FIXTURE(waiting_fixture, "more waits than the limit are refused at once") {
  table.when_revision(7, now + 1s, note());
  table.when_operation_ends({uuid_of(5)}, now + 1s, note());
  table.when_revision(7, now + 1s, note());
  table.when_operation_ends({uuid_of(5)}, now + 1s, note());
  CHECK(ends == wait_ends{wait_end::refused, wait_end::refused});
}

TEST_CASE_FIXTURE(waiting_fixture, "an operation that isn't known yet is waited for") {
  table.when_operation_ends({uuid_of(5)}, now + 1s, note());
  operation(3, operation_state::running);
  CHECK(ends.empty());
  operation(4, operation_state::failed);
  CHECK(ends == wait_ends{wait_end::reached});
}

TEST_CASE_FIXTURE(waiting_fixture, "an operation that has ended already is not waited for") {
  operation(4, operation_state::succeeded);
  table.when_operation_ends({uuid_of(5)}, now + 1s, note());
  CHECK(ends == wait_ends{wait_end::reached});
  table.expire(now + 2s);
  CHECK(ends.size() == 1);
}

TEST_CASE_FIXTURE(waiting_fixture, "an end that comes by a new listing ends the wait") {
  operation(3, operation_state::running);
  table.when_operation_ends({uuid_of(5)}, now + 1s, note());
  table.listed(operation_of(5, 9, operation_state::succeeded));
  table.keep_only({{record_type::operation, uuid_of(5)}});
  table.advance(9);
  CHECK(ends == wait_ends{wait_end::reached});
}

TEST_CASE_FIXTURE(waiting_fixture, "an observer sees each record that changed, not those listed") {
  std::vector<uint64_t> seen;
  table.observe([&](const any_record& record) { seen.push_back(id_of(record).low); });
  table.listed(vm_of(1, 1));
  table.advance(1);
  table.changed(vm_of(2, 2));
  CHECK(seen.empty());
  table.advance(2);
  CHECK(seen == std::vector<uint64_t>{2});
}
