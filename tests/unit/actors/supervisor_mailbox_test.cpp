#include "actors/supervisor/counted_mailbox.hpp"
#include "messages/actors.hpp"
#include "tests/becomes_true.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

using counting_actor
    = caf::typed_actor<caf::reacts_to<tick_atom>, caf::reacts_to<stop_atom>,
                       caf::replies_to<status_atom, std::string>::with<std::string>>;

struct counting_state {
  uint64_t waiting_in_handler = 0; ///< what the counter said while a tick was handled
  static constexpr const char* name = "counting";
};

struct counted_actor {
  struct config : caf::actor_system_config {
    config() {
      add_message_types<caf::id_block::novacron>();
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  config cfg;
  caf::actor_system system{cfg};
  caf::scheduler::test_coordinator& scheduler
      = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  uint64_t seen_in_handler = 0;
  counting_actor one = spawn_counted(
      system,
      [this](
          counting_actor::stateful_pointer<counting_state> self) -> counting_actor::behavior_type {
        return {[this, self](tick_atom) { seen_in_handler = waiting(self); },
                [self](stop_atom) { self->quit(); },
                [](status_atom, const std::string& text) { return text + "!"; }};
      });

  template <class Handle>
  static uint64_t waiting(const Handle& whom) {
    return messages_waiting(caf::actor_cast<caf::actor>(whom)).value();
  }

  ~counted_actor() {
    caf::anon_send_exit(one, caf::exit_reason::kill);
    scheduler.run();
  }
};

} // namespace

TEST_CASE_FIXTURE(counted_actor, "messages count from being sent until they have been handled") {
  scheduler.run();
  CHECK(waiting(one) == 0);
  caf::anon_send(one, tick_atom::value);
  caf::anon_send(one, tick_atom::value);
  caf::anon_send(one, tick_atom::value);
  CHECK(waiting(one) == 3);
  scheduler.run();
  CHECK(waiting(one) == 0);
  CHECK(seen_in_handler == 1); // the last one, while it was handled
}

TEST_CASE_FIXTURE(counted_actor, "a counted message is the message that was sent") {
  caf::scoped_actor self{system};
  std::string answer;
  auto response = self->request(one, 5s, status_atom::value, std::string{"here"});
  scheduler.run();
  response.receive([&](const std::string& text) { answer = text; }, [](const caf::error&) {});
  CHECK(answer == "here!");
  CHECK(waiting(one) == 0);
}

TEST_CASE_FIXTURE(counted_actor, "what an actor never handled isn't counted beyond its end") {
  caf::anon_send(one, stop_atom::value);
  caf::anon_send(one, tick_atom::value);
  caf::anon_send(one, tick_atom::value);
  scheduler.run();
  CHECK(waiting(one) == 0);
}

TEST_CASE_FIXTURE(counted_actor, "an actor that doesn't count has no number") {
  auto plain
      = system.spawn([](caf::event_based_actor*) -> caf::behavior { return {[](tick_atom) {}}; });
  CHECK(!messages_waiting(plain));
  caf::anon_send_exit(plain, caf::exit_reason::kill);
}

TEST_CASE("messages of several threads are all counted, and all handled") {
  struct threads : caf::actor_system_config {
    threads() {
      add_message_types<caf::id_block::novacron>();
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-threads", size_t{2});
    }
  };
  threads cfg;
  caf::actor_system system{cfg};
  constexpr int each = 2'000;
  int handled = 0;
  auto one = spawn_counted<caf::detached>(
      system, [&handled](counting_actor::pointer self) -> counting_actor::behavior_type {
        return {[&handled](tick_atom) { ++handled; }, [self](stop_atom) { self->quit(); },
                [](status_atom, const std::string& text) { return text; }};
      });
  std::vector<std::thread> senders;
  for (int i = 0; i < 3; ++i)
    senders.emplace_back([&] {
      for (int k = 0; k < each; ++k)
        caf::anon_send(one, tick_atom::value);
    });
  for (auto& thread : senders)
    thread.join();
  caf::scoped_actor self{system};
  self->request(one, 20s, status_atom::value, std::string{})
      .receive([](const std::string&) {}, [](const caf::error&) {});
  CHECK(handled == 3 * each);
  self->send(one, stop_atom::value);
  self->wait_for(one);
  CHECK(becomes_true(10s, [&] { return messages_waiting(caf::actor_cast<caf::actor>(one)) == 0; }));
}
