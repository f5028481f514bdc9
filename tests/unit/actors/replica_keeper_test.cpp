#include "actors/replica/replica_keeper.hpp"
#include "storage/errors.hpp"
#include "tests/becomes_true.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <caf/actor_cast.hpp>
#include <doctest/doctest.h>
#include <thread>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// What the test sees and sets of the engine, also after its end.
struct engine_room {
  bool holds_answers = false; ///< proposals are answered at `release`, or by the destructor
  bool leader = true;
  bool open = false;
  uint64_t revision = 0;
  std::vector<lease_record> leases;
  std::function<void()> while_leases_are_read = [] {}; ///< the next time
  std::vector<command> proposed;
  std::vector<std::function<void()>> barriers;
  std::function<void(uint64_t)> applied;
  uint64_t term = 1;
  node_id leads;
  std::vector<std::pair<node_id, size_t>> received;
  std::vector<node_record> nodes;
  std::vector<member_change> changes;
};

/// A log in memory: every command succeeds and takes one revision.
class engine_in_memory : public replica {
public:
  explicit engine_in_memory(engine_room& room) : room_{room} { room_.open = true; }
  ~engine_in_memory() override {
    for (auto& each : held_)
      each({});
    room_.open = false;
    room_.applied = {};
  }

  void propose(std::vector<command> commands,
               std::function<void(std::vector<command_outcome>)> done) override {
    room_.proposed.insert(room_.proposed.end(), commands.begin(), commands.end());
    if (room_.holds_answers) {
      held_.push_back(done);
      return;
    }
    command_outcome good;
    good.revision = ++room_.revision;
    done(std::vector<command_outcome>(commands.size(), good));
    room_.applied(room_.revision);
  }
  void read_barrier(std::function<void(result<uint64_t>)> done) override {
    room_.barriers.emplace_back([this, done] { done(room_.revision); });
  }
  void on_applied(std::function<void(uint64_t)> listener) override { room_.applied = listener; }
  result<feed_listing> list(const list_request&) override {
    feed_listing out;
    out.revision = room_.revision;
    return out;
  }
  result<feed_changes> changes_after(const pull_request& request) override {
    if (request.after > room_.revision)
      return make_failure(storage_errc::stopped, "no");
    feed_changes out;
    out.revision = room_.revision;
    return out;
  }
  [[nodiscard]] replica_status status() const override {
    replica_status out;
    out.leader = room_.leader;
    out.term = room_.term;
    out.leads = room_.leads;
    out.applied_index = room_.revision;
    return out;
  }
  void receive(node_id from, std::span<const std::byte> message) override {
    room_.received.emplace_back(from, message.size());
  }
  result<snapshot_chunk> read_snapshot(const snapshot_chunk_request& request) override {
    if (request.reference != "offered")
      return make_failure(storage_errc::stopped, "it isn't offered any more");
    return snapshot_chunk{{}, "next", 0};
  }
  void change_member(const member_change& wish, std::function<void(result<void>)> done) override {
    room_.changes.push_back(wish);
    done({});
  }
  void hand_over(node_id) override {}
  [[nodiscard]] std::vector<lease_record> leases() const override {
    std::exchange(room_.while_leases_are_read, [] {})();
    return room_.leases;
  }
  [[nodiscard]] std::vector<node_record> nodes() const override { return room_.nodes; }
  result<backup_info> back_up(const std::filesystem::path& folder, uint32_t keep,
                              const std::stop_token& stop) override {
    if (folder == "slow")
      while (!stop.stop_requested())
        std::this_thread::yield();
    backup_info made;
    made.number = keep;
    return made;
  }

private:
  engine_room& room_;
  std::vector<std::function<void(std::vector<command_outcome>)>> held_;
};

struct one_replica : virtual_time {
  engine_room room;
  replica_place place{{{0, 1}}, std::make_shared<replica_port>(), nullptr};
  replica_actor keeper;

  void start() {
    keeper = system.spawn(
        replica_keeper,
        [this]() -> result<std::unique_ptr<replica>> {
          return std::unique_ptr<replica>{std::make_unique<engine_in_memory>(room)};
        },
        logger{}, place);
    run();
  }

  std::vector<leadership> leaders; ///< as a follower of the leadership was told
  caf::actor follow_leadership() {
    auto follower = system.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const leadership& who) { leaders.push_back(who); }};
    });
    caf::anon_send(keeper, status_atom::value, follower);
    run();
    return follower;
  }

  std::vector<uint64_t> told; ///< by the replica, to a subscriber
  caf::actor subscribe() {
    auto reader = system.spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](update_atom, uint64_t revision) { told.push_back(revision); }};
    });
    caf::anon_send(keeper, caf::subscribe_atom::value, reader);
    run();
    return reader;
  }

  ~one_replica() {
    kill(keeper);
    keeper = replica_actor{};
  }
};

proposal one_command() {
  return {{command{barrier{}, {}}}};
}

lease_record a_lease() {
  lease_record lease;
  lease.renewal = 4;
  lease.term = 2s;
  return lease;
}

} // namespace

TEST_CASE_FIXTURE(one_replica, "a proposal is answered once it is applied") {
  start();
  auto answer = ask<outcomes>(keeper, one_command()).answer();
  REQUIRE(answer.has_value());
  CHECK(answer->each.front().revision == 1);
}

TEST_CASE_FIXTURE(one_replica,
                  "a killed replica closes its engine and leaves the outcome unknown") {
  start();
  room.holds_answers = true;
  auto question = ask<outcomes>(keeper, one_command());
  CHECK(!answered(question));
  kill(keeper);
  CHECK(!room.open);
  auto answer = question.answer();
  REQUIRE(answer.has_value());
  REQUIRE(answer->each.size() == 1);
  CHECK(answer->each.front().error == command_errc::unknown_outcome);
}

TEST_CASE_FIXTURE(one_replica, "a linearizable read waits for the barrier") {
  start();
  list_request request;
  request.linearizable = true;
  auto question = ask<feed_listing>(keeper, request);
  CHECK(!answered(question));
  room.revision = 8;
  REQUIRE(room.barriers.size() == 1);
  room.barriers.front()();
  run();
  auto page = question.answer();
  REQUIRE(page.has_value());
  CHECK(page->revision == 8);
}

TEST_CASE_FIXTURE(one_replica, "a read that waits for its barrier fails when the replica dies") {
  start();
  list_request request;
  request.linearizable = true;
  auto question = ask<feed_listing>(keeper, request);
  kill(keeper);
  CHECK(!question.answer().has_value());
}

TEST_CASE_FIXTURE(one_replica, "an error of the engine reaches the reader") {
  start();
  pull_request request;
  request.after = 99;
  CHECK(!ask<feed_changes>(keeper, request).answer().has_value());
}

TEST_CASE_FIXTURE(one_replica, "subscribers hear of the revision, of many applies once") {
  start();
  room.revision = 3;
  auto reader = subscribe();
  CHECK(told == std::vector<uint64_t>{3});
  room.applied(4);
  room.applied(5);
  room.applied(6);
  run();
  CHECK(told == std::vector<uint64_t>{3, 6});
  room.applied(7);
  run();
  CHECK(told.back() == 7);
  kill(reader);
  room.applied(8);
  run();
  CHECK(told.back() == 7);
}

TEST_CASE_FIXTURE(one_replica, "a leader ends leases that were not renewed") {
  start();
  room.leases = {a_lease()};
  pass(5'000ms); // the term, the guard and the time to kill
  CHECK(room.proposed.empty());
  pass(500ms);
  REQUIRE(room.proposed.size() == 1);
  CHECK(std::get<expire_lease>(room.proposed.front().body).renewal == 4);
}

TEST_CASE_FIXTURE(one_replica, "a renewal that comes while the leader looks counts from its end") {
  start();
  room.while_leases_are_read = [this] { // the log was busy for so long
    coordinator.clock().current_time += 3s;
    room.leases = {a_lease()};
  };
  pass(220ms);
  pass(4'500ms); // of the term, the guard and the time to kill
  CHECK(room.proposed.empty());
  pass(1s);
  CHECK(room.proposed.size() == 1);
}

TEST_CASE_FIXTURE(one_replica, "a leader does to the members what the log wishes, others don't") {
  node_record fresh;
  fresh.id = {{0, 7}};
  fresh.name = "node-7";
  fresh.roles = {node_role::controller};
  fresh.disk = 70;
  node_record leaving = fresh;
  leaving.id = {{0, 8}};
  leaving.wish = member_wish::leaving;
  room.nodes = {fresh};
  room.leader = false;
  start();
  pass(1s);
  CHECK(room.changes.empty());
  CHECK(room.proposed.empty());
  room.leader = true;
  pass(1s);
  REQUIRE(!room.changes.empty());
  CHECK(room.changes.front() == member_change{member_change::kind::add, fresh.id, 70});
  room.nodes = {leaving};
  pass(1s);
  REQUIRE(!room.proposed.empty());
  CHECK(std::get<wish_member>(room.proposed.front().body)
        == wish_member{leaving.id, member_wish::removed, {}});
}

TEST_CASE_FIXTURE(one_replica, "who doesn't lead ends no leases") {
  start();
  room.leader = false;
  room.leases = {a_lease()};
  pass(9s);
  CHECK(room.proposed.empty());
  room.leader = true; // the full term again
  pass(5'000ms);
  CHECK(room.proposed.empty());
  pass(500ms);
  CHECK(room.proposed.size() == 1);
}

TEST_CASE_FIXTURE(one_replica, "a replica that can't be opened ends with the reason") {
  std::string reason;
  keeper = system.spawn(
      replica_keeper,
      []() -> result<std::unique_ptr<replica>> {
        return make_failure(storage_errc::cannot_open, "the folder is locked");
      },
      logger{}, replica_place{});
  caf::actor_cast<caf::actor>(keeper)->attach_functor(
      [&](const caf::error& why) { reason = system.render(why); });
  run();
  CHECK(reason.find("the folder is locked") != std::string::npos);
}

TEST_CASE_FIXTURE(one_replica, "a leader in a new term gives hosts the full term again") {
  start();
  room.leases = {a_lease()};
  pass(3s);
  room.term = 2; // it lost the lead and won it back between two looks
  pass(4'800ms);
  CHECK(room.proposed.empty());
  pass(700ms);
  CHECK(room.proposed.size() == 1);
}

TEST_CASE_FIXTURE(one_replica, "who follows the leadership hears of it now, and of each change") {
  room.leader = false;
  start();
  auto follower = follow_leadership();
  REQUIRE(!leaders.empty());
  CHECK(leaders.back() == leadership{false, {}, 1});
  const auto before = leaders.size();
  pass(100ms);
  CHECK(leaders.size() == before);
  room.leads = {{0, 2}};
  room.term = 2;
  pass(50ms);
  CHECK(leaders.back() == leadership{false, {{0, 2}}, 2});
  room.leader = true;
  pass(50ms);
  CHECK(leaders.back() == leadership{true, {{0, 1}}, 2});
  kill(follower);
}

TEST_CASE_FIXTURE(one_replica, "the status is the leader's to say when it must be linearizable") {
  start();
  auto question = ask<group_status>(keeper, group_status_request{true});
  CHECK(!answered(question));
  room.revision = 8;
  REQUIRE(room.barriers.size() == 1);
  room.barriers.front()();
  run();
  auto answer = question.answer();
  REQUIRE(answer.has_value());
  CHECK(answer->by_leader());
  CHECK(answer->applied_index == 8);
}

TEST_CASE_FIXTURE(one_replica,
                  "other replicas' messages pass the mailbox by, until the engine ends") {
  start();
  place.port->receive({{0, 2}}, std::vector<std::byte>(3));
  CHECK(room.received == std::vector<std::pair<node_id, size_t>>{{{{0, 2}}, 3}});
  kill(keeper);
  place.port->receive({{0, 2}}, std::vector<std::byte>(3));
  CHECK(room.received.size() == 1);
}

TEST_CASE_FIXTURE(one_replica, "a part of a snapshot is read where it was offered") {
  start();
  auto chunk = ask<snapshot_chunk>(keeper, snapshot_chunk_request{"offered", {}, 1'000}).answer();
  REQUIRE(chunk.has_value());
  CHECK(chunk->next == "next");
  CHECK(!ask<snapshot_chunk>(keeper, snapshot_chunk_request{"gone", {}, 1'000}).answer());
}

TEST_CASE_FIXTURE(one_replica, "a backup is made beside the log's work, one at a time") {
  start();
  auto slow = ask<backup_info>(keeper, back_up{"slow", 1});
  CHECK(!ask<backup_info>(keeper, back_up{"quick", 7}).answer().has_value());
  CHECK(ask<outcomes>(keeper, one_command()).answer().has_value());
  kill(keeper); // doesn't wait for it
  CHECK(!room.open);
  CHECK(!slow.answer().has_value());
}

TEST_CASE_FIXTURE(one_replica, "whoever asked for a backup hears of it") {
  start();
  auto question = ask<backup_info>(keeper, back_up{"quick", 7});
  REQUIRE(becomes_true(10s, [&] {
    run();
    return answered(question);
  }));
  CHECK(question.answer()->number == 7);
  auto next = ask<backup_info>(keeper, back_up{"quick", 8});
  REQUIRE(becomes_true(10s, [&] {
    run();
    return answered(next);
  }));
  CHECK(next.answer()->number == 8);
}
