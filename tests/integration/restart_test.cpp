#include "actors/host/host.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "hypervisor/simulated/simulated_hypervisor.hpp"
#include "tests/becomes_true.hpp"
#include "tests/integration/control_actors.hpp"
#include "tests/integration/control_plane.hpp"
#include "tests/integration/recent_lines.hpp"
#include "tests/unit/dwcp/test_authority.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>
#include <thread>

using namespace novacron;
using namespace novacron::test;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

template <class Condition>
bool in_time(Condition holds) {
  return becomes_true(patience, holds);
}

struct system_config : caf::actor_system_config {
  system_config() {
    add_message_types<caf::id_block::novacron>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{4});
  }
};

/// A controller, and a host with simulated guests, of whom one runs.
class one_guest {
public:
  explicit one_guest(restart_policy policy) {
    context_->self.id = node_id{random_uuid()};
    context_->self.name = "node-1";
    context_->self.vcpus = 4;
    context_->self.memory_mib = 2'048;
    context_->self.images = {"tick"};
    context_->self.boot = boot_id{random_uuid()};
    context_->state = folder_ / "host";
    context_->images.emplace("tick", image_files{});
    context_->driver = make_simulated_hypervisor({machine});
    context_->pool = std::make_shared<blocking_pool>(2);
    context_->log = logger{lines_};
    context_->renew_every = 200ms; // the log's clock goes on by it
    context_->frontend.set(control.actors().frontend);
    context_->feed.set(caf::actor_cast<feed_source_actor>(control.actors().feed));
    start_agent();
    REQUIRE(in_time([&] { return !control.all<host_record>().empty(); }));
    create_vm wish;
    wish.vm = vm;
    wish.name = "web-1";
    wish.host = context_->self.id;
    wish.operation = operation_id{random_uuid()};
    wish.spec.image = "tick";
    wish.spec.memory_mib = 64;
    wish.spec.restart = policy;
    auto made = control.propose(wish);
    REQUIRE_MESSAGE(made.ok(), made.detail);
    request(requested_state::running);
    REQUIRE_MESSAGE(runs_in(1), lines_->text());
  }

  ~one_guest() {
    kill_agent();
    // It goes here, not on a thread of its own pool.
    in_time([&] { return context_.use_count() == 1; });
  }

  void request(requested_state what) {
    auto asked = control.propose(request_state{vm, what, 0, operation_id{random_uuid()}});
    REQUIRE_MESSAGE(asked.ok(), asked.detail);
  }

  void start_agent() {
    supervisor_spec spec;
    spec.name = "guests";
    spec.intensity = 100;
    auto guests = system_.spawn(supervisor, spec, context_->log);
    context_->guests.set(caf::actor_cast<supervisor_actor>(guests));
    auto host = system_.spawn(novacron::host, context_);
    agent_ = {caf::actor_cast<caf::actor>(host), caf::actor_cast<caf::actor>(guests)};
  }

  void kill_agent() {
    caf::scoped_actor self{system_};
    for (const auto& each : agent_) {
      self->monitor(each);
      caf::anon_send_exit(each, caf::exit_reason::kill);
    }
    for (size_t i = 0; i < agent_.size(); ++i)
      self->receive([](const caf::down_msg&) {}, caf::after(5s) >> [] {});
    agent_.clear();
    context_->host.clear();
    context_->guests.clear();
  }

  vm_record record() { return control.find<vm_record>(vm).value(); }

  bool becomes(actual_state what) {
    return in_time([&] { return record().actual == what; });
  }

  /// Whether the guest comes to run under this number of its epoch, by the log
  /// and on the machine.
  bool runs_in(uint64_t number) {
    return in_time([&] {
      auto known = record();
      auto guests = machine->guests();
      return known.actual == actual_state::running && known.epoch.number == number
             && guests.size() == 1 && guests[0].phase == guest_phase::running
             && guests[0].epoch == known.epoch;
    });
  }

  [[nodiscard]] std::string lines() const { return lines_->text(); }

private:
  testing::temporary_folder folder_;
  std::shared_ptr<recent_lines> lines_ = std::make_shared<recent_lines>();
  system_config config_;
  caf::actor_system system_{config_};
  std::shared_ptr<host_context> context_ = std::make_shared<host_context>();
  std::vector<caf::actor> agent_;

public:
  std::shared_ptr<simulated_host> machine = std::make_shared<simulated_host>();
  control_plane control{system_, folder_ / "log"};
  const vm_id vm{random_uuid()};
};

} // namespace

TEST_CASE("a guest that dies comes back by itself, each time under a new epoch") {
  one_guest x{restart_policy::on_failure};
  for (uint64_t number : {2, 3}) {
    x.machine->kill_guest(x.vm);
    CHECK_MESSAGE(x.runs_in(number), x.lines());
  }
  CHECK(x.record().restarts.count == 2);
}

TEST_CASE("a guest that dies with its agent comes back with the agent") {
  one_guest x{restart_policy::on_failure};
  x.kill_agent();
  x.machine->kill_guest(x.vm);
  x.start_agent();
  CHECK_MESSAGE(x.runs_in(2), x.lines());
}

TEST_CASE("a guest that switches itself off comes back only if it always must") {
  SUBCASE("on failure") {
    one_guest x{restart_policy::on_failure};
    x.machine->power_off(x.vm);
    REQUIRE(x.becomes(actual_state::failed));
    CHECK(x.record().reason == "the guest switched itself off");
    CHECK(x.record().restarts.due == log_time{});
  }
  SUBCASE("always") {
    one_guest x{restart_policy::always};
    x.machine->power_off(x.vm);
    CHECK_MESSAGE(x.runs_in(2), x.lines());
  }
}

TEST_CASE("a guest that nobody restarts stays where it ended") {
  one_guest x{restart_policy::never};
  x.machine->kill_guest(x.vm);
  REQUIRE(x.becomes(actual_state::failed));
  CHECK(x.record().reason == "the guest ended by itself");
  CHECK(x.record().restarts.count == 0);
  CHECK(x.record().restarts.due == log_time{});
  CHECK(x.machine->guests().empty());
}

TEST_CASE("a stop during the back-off is obeyed") {
  one_guest x{restart_policy::always};
  x.machine->kill_guest(x.vm);
  REQUIRE(x.becomes(actual_state::failed));
  x.request(requested_state::stopped);
  CHECK(x.becomes(actual_state::defined));
  x.request(requested_state::running);
  CHECK_MESSAGE(x.runs_in(2), x.lines()); // the user's start, and no restart before it
}
