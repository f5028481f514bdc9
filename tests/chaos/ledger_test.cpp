#include "ledger.hpp"

#include <boost/json/object.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace novacron::chaos;
namespace json = boost::json;

namespace {

json::value vm(const char* id, const char* name, const char* requested,
               const char* actual = "running") {
  return json::object{{"id", id}, {"name", name}, {"requested", requested}, {"actual", actual}};
}

json::value operation(const char* id) {
  return json::object{{"id", id}, {"state", "succeeded"}};
}

/// Another moment than all before, and than all after.
ledger::clock::time_point a_moment() {
  const auto before = ledger::clock::now();
  auto moment = before;
  while (moment == before)
    moment = ledger::clock::now();
  while (ledger::clock::now() == moment) {
  }
  return moment;
}

/// A user who created a and b, started a, and deleted b.
struct a_users_book {
  ledger book;
  a_users_book() {
    book.created("a", "1");
    book.created("b", "2");
    book.requested("1", "running");
    book.accepted("op-1");
    book.requested("2", "deleted");
    book.accepted("op-2");
  }
  [[nodiscard]] std::vector<std::string> lost(std::vector<json::value> vms) const {
    return lost_writes(book, {std::move(vms), {operation("op-1"), operation("op-2")}});
  }
};

} // namespace

TEST_CASE_FIXTURE(a_users_book, "a cluster that shows what was acknowledged has lost nothing") {
  CHECK(lost({vm("1", "a", "running")}).empty());
  CHECK(lost({vm("1", "a", "running"), vm("2", "b", "deleted", "gone")}).empty());
  CHECK(lost({vm("1", "a", "running"), vm("3", "of-somebody", "running")}).empty());
  CHECK(book.acknowledged_writes() == 4);
}

TEST_CASE_FIXTURE(a_users_book, "a vm that was acknowledged and isn't there is a lost write") {
  CHECK(lost({}) == std::vector<std::string>{"vm a (1) is lost"});
}

TEST_CASE_FIXTURE(a_users_book, "a vm that is there twice, or under another id, is a lost write") {
  CHECK(lost({vm("1", "a", "running"), vm("4", "a", "stopped")}).size() == 1);
  CHECK(lost({vm("4", "a", "running")}).size() == 1);
}

TEST_CASE_FIXTURE(a_users_book, "a verb that was acknowledged and is forgotten is a lost write") {
  CHECK(lost({vm("1", "a", "stopped", "defined")}).size() == 1);
}

TEST_CASE_FIXTURE(a_users_book, "a deleted vm that is back is a lost write") {
  CHECK(lost({vm("1", "a", "running"), vm("2", "b", "stopped")}).size() == 1);
}

TEST_CASE_FIXTURE(a_users_book, "an accepted operation that nobody knows is a lost write") {
  const shown_state shown{{vm("1", "a", "running")}, {operation("op-1")}};
  CHECK(lost_writes(book, shown) == std::vector<std::string>{"operation op-2 is lost"});
}

TEST_CASE("operations that ended long ago may be forgotten, once there are as many as are kept") {
  ledger book;
  shown_state shown;
  std::vector<std::string> ids;
  for (int n = 0; n < 30; ++n) {
    ids.push_back("op-" + std::to_string(n));
    book.accepted(ids.back());
    book.accepted(ids.back()); // a request that was repeated
    if (n >= 10)
      shown.operations.push_back(operation(ids.back().c_str()));
  }
  CHECK(lost_writes(book, shown, 20).empty());
  CHECK(lost_writes(book, shown, 30).size() == 10);      // there is room for all of them
  shown.operations.erase(shown.operations.begin() + 15); // a late one
  shown.operations.push_back(operation("somebody else's"));
  CHECK(lost_writes(book, shown, 20) == std::vector<std::string>{"operation op-25 is lost"});
}

TEST_CASE_FIXTURE(a_users_book, "what may still have been carried out is no lost write") {
  book.perhaps("1", "paused");
  CHECK(lost({vm("1", "a", "paused")}).empty());
  CHECK(lost({vm("1", "a", "running")}).empty());
  CHECK(lost({vm("1", "a", "stopped")}).size() == 1);
}

TEST_CASE_FIXTURE(a_users_book, "a vm that is there without an acknowledged create is found") {
  CHECK(unknown_vms(book, {{vm("1", "a", "running")}, {}}).empty());
  CHECK(unknown_vms(book, {{vm("9", "z", "deleted", "gone")}, {}}).empty());
  CHECK(unknown_vms(book, {{vm("9", "z", "stopped")}, {}}).size() == 1);
}

TEST_CASE_FIXTURE(a_users_book, "a vm runs since a moment if nobody has had anything else of it") {
  const auto moment = a_moment();
  CHECK(book.vms().at("1").runs_since(moment));
  CHECK_FALSE(book.vms().at("2").runs_since(moment));
  book.requested("1", ""); // a migration
  book.requested("1", "running");
  CHECK(book.vms().at("1").runs_since(moment));
  book.requested("1", "stopped");
  book.requested("1", "running");
  CHECK_FALSE(book.vms().at("1").runs_since(moment));
  const auto later = a_moment();
  CHECK(book.vms().at("1").runs_since(later));
  book.perhaps("1", "paused");
  CHECK_FALSE(book.vms().at("1").runs_since(later));
}

TEST_CASE("two creates that are answered with one id break a promise") {
  ledger book;
  book.created("a", "1");
  book.created("b", "1");
  CHECK(book.breaches().size() == 1);
}

TEST_CASE("attempts are counted where they ended, and a write where it was sent") {
  ledger book;
  const auto begin = a_moment();
  book.ended(begin, request_end::lost);
  book.ended(begin, request_end::read);
  const auto middle = a_moment();
  CHECK_FALSE(book.first_sent_after(middle).has_value());
  book.ended(begin, request_end::acknowledged); // was sent before
  CHECK_FALSE(book.first_sent_after(middle).has_value());
  book.ended(middle, request_end::refused);
  CHECK_FALSE(book.first_sent_after(middle).has_value());
  book.ended(middle, request_end::acknowledged);
  CHECK(book.first_sent_after(middle).has_value());
  CHECK(book.between(begin, middle).lost == 1);
  CHECK(book.total().acknowledged == 2);
  CHECK(book.total().all == 5);
}
