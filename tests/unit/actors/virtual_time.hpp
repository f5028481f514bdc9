#pragma once

#include "messages/actors.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <chrono>
#include <memory>
#include <optional>

namespace novacron {

/// An actor system whose actors run when the test says so, on its clock.
struct virtual_time {
  struct config : caf::actor_system_config {
    config() {
      add_message_types<caf::id_block::novacron>();
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  config cfg;
  caf::actor_system system{cfg};
  caf::scheduler::test_coordinator& coordinator
      = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());

  void run() { coordinator.run(); }

  /// Lets time pass in steps of a millisecond, or coarser for long times.
  void pass(std::chrono::milliseconds time) {
    using namespace std::chrono_literals;
    auto step = time > 1s ? 20ms : 1ms;
    for (auto t = 0ms; t < time; t += step) {
      coordinator.run();
      coordinator.advance_time(step);
    }
    coordinator.run();
  }

  /// A question whose answer is looked at later.
  template <class Answer>
  struct asked {
    std::shared_ptr<caf::scoped_actor> self;
    std::function<std::optional<Answer>()> answer; ///< nothing: an error; call once
  };

  template <class Answer, class Handle, class... Question>
  asked<Answer> ask(const Handle& whom, Question... question) {
    auto self = std::make_shared<caf::scoped_actor>(system);
    auto response = std::make_shared<decltype((*self)->request(whom, std::chrono::seconds{3'600},
                                                               question...))>(
        (*self)->request(whom, std::chrono::seconds{3'600}, question...));
    run();
    return {self, [response, self] {
              std::optional<Answer> out;
              response->receive([&](const Answer& x) { out = x; }, [](const caf::error&) {});
              return out;
            }};
  }

  /// Did the answer come? Doesn't wait.
  template <class Answer>
  bool answered(const asked<Answer>& question) {
    return (*question.self)->mailbox().size() > 0;
  }

  /// Ends an actor as a fault would.
  template <class Handle>
  void kill(const Handle& whom) {
    caf::anon_send_exit(whom, caf::exit_reason::kill);
    run();
  }
};

} // namespace novacron
