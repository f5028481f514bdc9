#include "actors/peer/any_controller.hpp"
#include "actors/peer/mesh_errors.hpp"
#include "tests/unit/actors/test_mesh.hpp"

using namespace novacron;

namespace {

/// A controller whose feed answers pulls only after `release`, while it holds them.
struct slow_controller : controller {
  std::atomic<int> pulls = 0;
  std::atomic<bool> holds = true;

  explicit slow_controller(const test_authority& authority, node_id id = controller_id)
      : controller{authority, id} {
    using changes_promise = caf::typed_response_promise<feed_changes>;
    auto held = std::make_shared<std::vector<changes_promise>>();
    feed = keep(system->spawn(
        [this, held](feed_source_actor::pointer self) -> feed_source_actor::behavior_type {
          return {[](const list_request&) { return feed_listing{}; },
                  [this, self, held](const pull_request&) -> caf::result<feed_changes> {
                    if (!holds)
                      return feed_changes{};
                    held->push_back(self->make_response_promise<feed_changes>());
                    ++pulls;
                    return held->back();
                  },
                  [held](const migration_progress&) {
                    for (auto& each : std::exchange(*held, {}))
                      each.deliver(feed_changes{});
                  }};
        }));
  }

  void release() { caf::anon_send(feed, migration_progress{}); }
};

/// A host with a way to two controllers.
struct way_to_both : test_node {
  controller_actor way;

  way_to_both(const test_authority& authority, controller& one, controller& two)
      : test_node{authority, host_id, {node_role::host}} {
    const auto first = one.open_door(one.routes());
    const std::vector<address> both{{"127.0.0.1", first},
                                    {"127.0.0.1", two.open_door(two.routes())}};
    way = keep(controller_actor{system->spawn(any_controller, to(first), both)});
  }

  /// Answered behind all that was asked before.
  bool reads() { return ask<feed_listing>(way, list_request{}).has_value(); }
};

struct slow_pair {
  test_authority authority;
  slow_controller one{authority};
  slow_controller two{authority, third_id};
  way_to_both host{authority, one, two};
  caf::scoped_actor self{*host.system};
  slow_controller* used = nullptr; ///< by the host, of the two
  slow_controller* other = nullptr;

  slow_pair() {
    REQUIRE(host.ask_until<outcomes>(host.way, proposal{{report_of(host_id)}},
                                     [](const auto& answer, const auto&) { return !!answer; }));
    used = one.proposals > 0 ? &one : &two;
    other = used == &one ? &two : &one;
  }
};

proposal keyed_report() {
  auto out = report_of(host_id);
  out.idempotency = {"somebody", "a key", {}};
  return {{out}};
}

pull_request after(uint64_t revision) {
  pull_request out;
  out.after = revision;
  return out;
}

} // namespace

TEST_CASE_FIXTURE(slow_pair, "a node without a replica goes from the leader to a follower") {
  auto goes_to = [&](slow_controller& which) {
    return host.ask_until<outcomes>(host.way, proposal{{report_of(host_id)}},
                                    [&, before = which.proposals.load()](const auto&, const auto&) {
                                      return which.proposals > before;
                                    });
  };
  two.silent = true;
  REQUIRE(goes_to(one)); // the leader
  two.silent = false;
  one.praises = two.praises = true;
  CHECK(goes_to(two));
}

TEST_CASE_FIXTURE(slow_pair, "a node's readers who want the same share one pull") {
  auto first = self->request(host.way, 10s, after(7));
  auto second = self->request(host.way, 10s, after(7));
  auto different = self->request(host.way, 10s, after(8));
  REQUIRE(host.reads());
  CHECK(used->pulls == 2);
  used->release();
  int answers = 0;
  for (auto* each : {&first, &second, &different})
    each->receive([&](const feed_changes&) { ++answers; }, [](const caf::error&) {});
  CHECK(answers == 3);
  // Once it is answered, the same question is another one.
  auto again = self->request(host.way, 10s, after(7));
  REQUIRE(host.reads());
  CHECK(used->pulls == 3);
  used->release();
  again.receive([&](const feed_changes&) { ++answers; }, [](const caf::error&) {});
  CHECK(answers == 4);
}

TEST_CASE_FIXTURE(slow_pair, "a killed way to the controllers tells those who wait") {
  auto question = self->request(host.way, 10s, after(7));
  REQUIRE(host.reads());
  caf::anon_send_exit(host.way, caf::exit_reason::kill);
  question.receive([](const feed_changes&) { FAIL("an answer from nobody"); },
                   [](const caf::error& why) { CHECK(is(why, mesh_errc::lost)); });
}

TEST_CASE_FIXTURE(slow_pair,
                  "what a silent controller was asked is asked of another, if harmless") {
  other->holds = false;
  used->mute = used->silent = true;
  const int before = used->proposals;
  [[maybe_unused]] auto without_key = self->request(host.way, 5s, proposal{{report_of(host_id)}});
  auto with_key = self->request(host.way, 5s, keyed_report());
  auto read = self->request(host.way, 5s, after(7));
  int answers = 0;
  with_key.receive([&](const outcomes&) { ++answers; }, [](const caf::error&) {});
  read.receive([&](const feed_changes&) { ++answers; }, [](const caf::error&) {});
  CHECK(answers == 2);
  REQUIRE(host.reads());
  CHECK(used->proposals == before + 2);
  CHECK(other->proposals == 1);
}

TEST_CASE("nobody says that nothing was done of what a lost controller has taken") {
  test_authority authority;
  controller one{authority};
  one.mute = true;
  test_node host{authority, host_id, {node_role::host}};
  const std::vector<address> both{{"127.0.0.1", one.open_door(one.routes())},
                                  {"127.0.0.1", 1}}; // where nobody listens
  auto way = host.keep(
      controller_actor{host.system->spawn(any_controller, host.to(both.front().port), both)});
  REQUIRE(host.ask_until<feed_listing>(way, list_request{},
                                       [](const auto& page, const auto&) { return !!page; }));
  caf::scoped_actor self{*host.system};
  auto question = self->request(way, 10s, keyed_report());
  REQUIRE(becomes([&] { return one.proposals > 0; }));
  caf::anon_send_exit(one.the_door, caf::exit_reason::kill);
  question.receive([](const outcomes&) { FAIL("an answer from nobody"); },
                   [](const caf::error& why) { CHECK(is(why, mesh_errc::lost)); });
}
