#include "dwcp/snapshots/limits.hpp"
#include "dwcp/snapshots/snapshot_door.hpp"
#include "dwcp/snapshots/snapshot_line.hpp"
#include "messages/codec.hpp"
#include "odd_ends.hpp"
#include "tests/becomes_true.hpp"

#include <atomic>
#include <doctest/doctest.h>
#include <future>

using namespace novacron;
using namespace novacron::testing;

namespace {

const node_id owner{{0, 1}};
const node_id other{{0, 2}};

tls_files issue(const test_authority& authority, node_id node, const std::string& role) {
  return authority.issue({"novacron:node:" + to_string(node), "novacron:role:" + role});
}

/// A controller that lends a snapshot of three parts, each of which names the next.
struct lent_snapshot {
  test_authority authority;
  std::atomic<int> connections = 0;
  std::atomic<int> questions = 0;
  std::function<void()> before_answer;
  std::unique_ptr<snapshot_door> door;

  lent_snapshot() { open(0); }

  void open(uint16_t port) {
    snapshot_lender lender;
    lender.knows = [this](node_id node) {
      ++connections;
      return node == other;
    };
    lender.read = [this](const snapshot_chunk_request& x) {
      ++questions;
      if (before_answer)
        before_answer();
      return part(x.reference, x.from);
    };
    auto opened = open_snapshot_door(issue(authority, owner, "controller"), "127.0.0.1", port,
                                     std::move(lender));
    REQUIRE(opened.has_value());
    door = std::move(*opened);
  }

  static result<snapshot_chunk> part(const std::string& reference, const std::string& from) {
    if (reference != "now")
      return make_failure(dwcp_errc::withdrawn, "of long ago");
    const auto number = from.empty() ? 1 : std::stoi(from);
    snapshot_chunk chunk;
    chunk.records.assign(snapshot_limits::part_bytes, static_cast<std::byte>(number));
    chunk.next = number == 3 ? "" : std::to_string(number + 1);
    chunk.hash = static_cast<uint64_t>(number);
    return chunk;
  }

  [[nodiscard]] address where() const { return {"127.0.0.1", door->port()}; }
  [[nodiscard]] tls_files own() const { return issue(authority, other, "controller"); }
};

std::future<result<snapshot_chunk>> asked(snapshot_line& line, const address& where,
                                          const snapshot_chunk_request& what,
                                          node_id from = owner) {
  auto answer = std::make_shared<std::promise<result<snapshot_chunk>>>();
  line.fetch(from, where, what,
             [answer](result<snapshot_chunk> part) { answer->set_value(std::move(part)); });
  return answer->get_future();
}

result<snapshot_chunk> ask(snapshot_line& line, const address& where,
                           const snapshot_chunk_request& what, node_id from = owner) {
  auto answer = asked(line, where, what, from);
  REQUIRE(answer.wait_for(30s) == std::future_status::ready);
  return answer.get();
}

std::error_code refusal(const result<snapshot_chunk>& part) {
  return part ? std::error_code{} : part.error().code;
}

} // namespace

TEST_CASE("a snapshot is read part by part over one connection, and goes on where one ended") {
  lent_snapshot lent;
  snapshot_line line{lent.own()};
  snapshot_chunk_request next{"now", {}, snapshot_limits::part_bytes};
  int parts = 0;
  do {
    auto part = ask(line, lent.where(), next);
    REQUIRE_MESSAGE(part.has_value(), (part ? "" : part.error().message));
    CHECK(*part == lent_snapshot::part("now", next.from).value());
    next.from = part->next;
    ++parts;
  } while (!next.from.empty());
  CHECK(parts == 3);
  CHECK(lent.connections == 1);
  // One that isn't lent any more is told apart from one that can't be had now, and costs nothing.
  CHECK(refusal(ask(line, lent.where(), {"before", {}, 1})) == dwcp_errc::withdrawn);
  CHECK(ask(line, lent.where(), next).has_value());
  CHECK(lent.connections == 1);
  CHECK(lent.questions == 5);
}

TEST_CASE("the state is lent to controllers that the node knows, and to nobody else") {
  lent_snapshot lent;
  const snapshot_chunk_request first{"now", {}, 1'000};
  SUBCASE("a host") {
    snapshot_line line{issue(lent.authority, other, "host")};
    auto refused = ask(line, lent.where(), first);
    CHECK(refusal(refused) == dwcp_errc::unauthorised);
    CHECK(refused.error().message.find("only those copy the state") != std::string::npos);
    CHECK(lent.connections == 0);
  }
  SUBCASE("a controller of before") {
    snapshot_line line{issue(lent.authority, node_id{{0, 3}}, "controller")};
    CHECK(refusal(ask(line, lent.where(), first)) == dwcp_errc::unauthorised);
  }
  SUBCASE("a controller of another cluster") {
    const test_authority theirs;
    snapshot_line line{issue(theirs, other, "controller")};
    CHECK(!ask(line, lent.where(), first).has_value());
  }
  CHECK(lent.questions == 0);
}

TEST_CASE("who asks hears from whom it wants, not from who has come to its address") {
  lent_snapshot lent;
  snapshot_line line{lent.own()};
  auto refused = ask(line, lent.where(), {"now", {}, 1'000}, node_id{{0, 9}});
  CHECK(refusal(refused) == dwcp_errc::unauthorised);
  CHECK(lent.questions == 0);
}

TEST_CASE("a door that went is an answer with an error; the next question dials anew") {
  lent_snapshot lent;
  snapshot_line line{lent.own()};
  const snapshot_chunk_request first{"now", {}, 1'000};
  CHECK(ask(line, lent.where(), first).has_value());
  const auto where = lent.where();
  lent.door.reset();
  CHECK(!ask(line, where, first).has_value()); // the connection that stood
  CHECK(refusal(ask(line, where, first)) == dwcp_errc::unreachable);
  lent.open(where.port);
  CHECK(ask(line, where, first).has_value());
  CHECK(lent.connections == 2);
}

TEST_CASE("questions that wait are bounded, and those that are open end with the line") {
  lent_snapshot lent;
  std::promise<void> go;
  std::shared_future<void> gone{go.get_future()};
  lent.before_answer = [gone] { gone.wait(); };
  auto line = std::make_unique<snapshot_line>(lent.own());
  const snapshot_chunk_request first{"now", {}, 1'000};
  std::vector<std::future<result<snapshot_chunk>>> answers;
  answers.push_back(asked(*line, lent.where(), first));
  REQUIRE(becomes_true(10s, [&] { return lent.questions == 1; }));
  for (size_t n = 0; n < snapshot_limits::waiting; ++n)
    answers.push_back(asked(*line, lent.where(), first));
  CHECK(refusal(ask(*line, lent.where(), first)) == dwcp_errc::too_many);
  line.reset();
  for (auto& each : answers) {
    REQUIRE(each.wait_for(0s) == std::future_status::ready);
    CHECK(refusal(each.get()) == dwcp_errc::cancelled);
  }
  go.set_value();
}

TEST_CASE("what asks for nothing ends its connection, with the reason, and nothing is read") {
  lent_snapshot lent;
  speaker there{lent.own(), connect_tcp("127.0.0.1", lent.door->port(), never, soon()).value(),
                tls_stream::end::client};
  SUBCASE("a frame of a migration") {
    CHECK(there.say(frame_kind::open, 0, {}, encode(snapshot_chunk_request{"now", {}, 1'000})));
  }
  SUBCASE("bytes that are no question") {
    CHECK(there.say(frame_kind::ask, 0, {}, bytes(40, std::byte{0xFF})));
  }
  SUBCASE("a question that is too long") {
    there.say(frame_kind::ask, 0, {}, bytes(max_ask_bytes + 1)); // it may find nobody who takes it
  }
  CHECK(there.reason() == dwcp_errc::malformed);
  CHECK(lent.questions == 0);
}
