#include "actors/handle_slot.hpp"
#include "actors/supervisor/supervisor.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

/// Ends when it is told to, with the reason it is told.
using puppet_actor = caf::typed_actor<caf::reacts_to<stop_atom, bool>>;

struct on_virtual_time {
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
  std::map<std::string, puppet_actor> latest; ///< puppets, by name
  std::map<std::string, int> lives;
  bool stubborn = false; ///< puppets ignore being asked to end
  supervisor_actor root;
  std::optional<std::string> root_ended; ///< with this reason

  child_spec puppet(const std::string& name, restart_type restart = restart_type::permanent) {
    child_spec spec;
    spec.name = name;
    spec.restart = restart;
    spec.start = [this, name](caf::local_actor&) {
      auto handle = system.spawn([this](puppet_actor::pointer self) -> puppet_actor::behavior_type {
        if (stubborn)
          self->set_exit_handler([](const caf::exit_msg&) {});
        return {[self](stop_atom, bool badly) {
          self->quit(badly ? caf::error{caf::sec::runtime_error} : caf::error{});
        }};
      });
      latest[name] = handle;
      ++lives[name];
      return caf::actor_cast<caf::actor>(handle);
    };
    return spec;
  }

  child_spec branch(const std::string& name, supervisor_spec below) {
    child_spec spec;
    spec.name = name;
    spec.supervisor = true;
    spec.start = [this, below](caf::local_actor&) {
      return caf::actor_cast<caf::actor>(system.spawn(supervisor, below, logger{}));
    };
    return spec;
  }

  void start(std::vector<child_spec> children,
             restart_strategy strategy = restart_strategy::one_for_one) {
    supervisor_spec spec;
    spec.name = "root";
    spec.strategy = strategy;
    spec.intensity = 3;
    spec.children = std::move(children);
    root = system.spawn(supervisor, spec, logger{});
    caf::actor_cast<caf::actor>(root)->attach_functor(
        [this](const caf::error& reason) { root_ended = system.render(reason); });
    scheduler.run();
  }

  void dies(const std::string& name) {
    caf::anon_send(latest.at(name), stop_atom::value, true);
    scheduler.run();
  }

  void pass(std::chrono::milliseconds time) {
    for (auto t = 0ms; t < time; t += 10ms) {
      scheduler.run();
      scheduler.advance_time(10ms);
    }
    scheduler.run();
  }

  /// The answer to a request; nothing for an error.
  template <class Answer, class... Question>
  std::optional<Answer> ask(Question... question) {
    std::optional<Answer> out;
    caf::scoped_actor self{system};
    auto response = self->request(root, 5s, question...);
    pass(1'100ms);
    response.receive([&](const Answer& answer) { out = answer; }, [](const caf::error&) {});
    return out;
  }

  static actor_tree_request below(std::string path, uint32_t children = 20) {
    actor_tree_request what;
    what.path = std::move(path);
    what.children = children;
    return what;
  }

  std::string tree() {
    auto all = ask<actor_tree>(actor_tree_request{});
    std::string text;
    for (const auto& each : all->actors)
      text += each.path + (each.state == actor_state::running ? " " : "? ");
    return text;
  }

  ~on_virtual_time() {
    latest.clear();
    caf::anon_send_exit(root, caf::exit_reason::kill);
    root = supervisor_actor{};
    scheduler.run();
  }
};

} // namespace

TEST_CASE_FIXTURE(on_virtual_time, "a child that dies lives again") {
  start({puppet("a"), puppet("b")});
  dies("a");
  CHECK(lives["a"] == 2);
  CHECK(lives["b"] == 1);
}

TEST_CASE_FIXTURE(on_virtual_time, "a child killed by its path lives again") {
  start({puppet("a")});
  CHECK(ask<ok_atom>(kill_actor{{}, "a"}).has_value());
  CHECK(lives["a"] == 2);
  CHECK(!ask<ok_atom>(kill_actor{{}, "nobody"}).has_value());
  CHECK(!ask<ok_atom>(kill_actor{{}, "a/b"}).has_value());
}

TEST_CASE_FIXTURE(on_virtual_time, "a path leads through supervisors below") {
  start({branch("host", {.name = "host", .children = {puppet("vm:1")}})});
  CHECK(tree() == "host host/vm:1 ");
  CHECK(ask<ok_atom>(kill_actor{{}, "host/vm:1"}).has_value());
  CHECK(lives["vm:1"] == 2);
}

TEST_CASE_FIXTURE(on_virtual_time, "a supervisor that is killed leaves no orphans") {
  start({branch("host", {.name = "host", .children = {puppet("vm:1")}})});
  auto orphan_ended = false;
  caf::actor_cast<caf::actor>(latest.at("vm:1"))->attach_functor([&] { orphan_ended = true; });
  CHECK(ask<ok_atom>(kill_actor{{}, "host"}).has_value());
  CHECK(orphan_ended);
  CHECK(lives["vm:1"] == 2);
}

TEST_CASE_FIXTURE(on_virtual_time, "a supervisor that gives up hands the failure to its parent") {
  start({branch("host", {.name = "host", .intensity = 0, .children = {puppet("vm:1")}})});
  dies("vm:1");
  CHECK(lives["vm:1"] == 2); // the parent started the whole branch anew
  CHECK(!root_ended.has_value());
}

TEST_CASE_FIXTURE(on_virtual_time, "the root gives up with an error that says who died") {
  start({puppet("a")});
  for (int i = 0; i < 4; ++i) {
    dies("a");
    pass(100ms);
  }
  REQUIRE(root_ended.has_value());
  CHECK(root_ended->find("the last was a") != std::string::npos);
}

TEST_CASE_FIXTURE(on_virtual_time, "asked to exit, it ends its children first") {
  start({puppet("a"), puppet("b")});
  auto root_was_there = false;
  caf::actor_cast<caf::actor>(latest.at("a"))->attach_functor([&] {
    root_was_there = !root_ended;
  });
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  scheduler.run();
  CHECK(root_was_there);
  CHECK(root_ended.has_value());
}

TEST_CASE_FIXTURE(on_virtual_time, "a child that won't end is killed after its grace") {
  stubborn = true;
  start({puppet("a")});
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  pass(1'900ms);
  CHECK(!root_ended.has_value());
  pass(200ms);
  CHECK(root_ended.has_value());
}

TEST_CASE_FIXTURE(on_virtual_time, "a child is added once, and found again by its name") {
  start({});
  auto spec = std::make_shared<const child_spec>(puppet("vm:1", restart_type::transient));
  auto first = ask<caf::actor>(spec);
  auto second = ask<caf::actor>(spec);
  REQUIRE(first.has_value());
  REQUIRE(second.has_value());
  CHECK((*first == *second));
  CHECK(lives["vm:1"] == 1);
}

TEST_CASE_FIXTURE(on_virtual_time, "a child that was stopped doesn't come back") {
  start({puppet("a")});
  caf::anon_send(root, stop_atom::value, std::string{"a"});
  pass(1s);
  CHECK(lives["a"] == 1);
  CHECK(tree() == "");
}

TEST_CASE_FIXTURE(on_virtual_time, "a start function that throws is tried again, not for ever") {
  auto spec = puppet("a");
  auto tries = 0;
  spec.start = [&](caf::local_actor&) -> caf::actor {
    ++tries;
    throw std::runtime_error{"no port"};
  };
  start({spec});
  pass(1s);
  CHECK(tries == 4); // the first, and as many as the intensity allows
  CHECK(root_ended.has_value());
}

TEST_CASE_FIXTURE(on_virtual_time, "a start function that yields nobody counts as a death") {
  auto spec = puppet("a");
  auto tries = 0;
  spec.start = [&](caf::local_actor&) {
    ++tries;
    return caf::actor{};
  };
  start({spec});
  pass(1s);
  CHECK(tries == 4);
}

TEST_CASE_FIXTURE(on_virtual_time,
                  "a tree shows so many children of each supervisor, and counts the rest") {
  supervisor_spec guests;
  guests.name = "guests";
  for (int i = 1; i <= 5; ++i)
    guests.children.push_back(puppet("vm-" + std::to_string(i)));
  guests.children.push_back(puppet("migration-1"));
  guests.children[4].restart = restart_type::temporary;
  start({branch("guests", guests), puppet("host")});
  dies("vm-4");
  dies("vm-5"); // the temporary one
  auto tree = ask<actor_tree>(below("", 2));
  REQUIRE(tree);
  REQUIRE(tree->actors.size() == 4);
  CHECK(tree->actors[0].path == "guests");
  CHECK(tree->actors[0].supervisor);
  CHECK(tree->actors[1].path == "guests/vm-1");
  CHECK(tree->actors[2].path == "guests/vm-2");
  CHECK(tree->actors[3].path == "host");
  CHECK(tree->next == 0); // nobody is left out at the top
  REQUIRE(tree->more.size() == 2);
  CHECK(tree->more[0] == actor_group{"guests", "vm", 3, 2, 1, 0});
  CHECK(tree->more[1] == actor_group{"guests", "migration", 1, 1, 0, 0});
}

TEST_CASE_FIXTURE(on_virtual_time, "what is below one supervisor is read page by page") {
  supervisor_spec guests;
  guests.name = "guests";
  for (int i = 1; i <= 5; ++i)
    guests.children.push_back(puppet("vm-" + std::to_string(i)));
  start({branch("node", {.name = "node", .children = {branch("guests", guests)}})});
  std::string seen;
  auto page = below("node/guests", 2);
  int pages = 0;
  do {
    auto tree = ask<actor_tree>(page);
    REQUIRE(tree);
    for (const auto& each : tree->actors)
      seen += each.path + ' ';
    page.after = tree->next;
    ++pages;
  } while (page.after != 0 && pages < 9);
  CHECK(seen
        == "node/guests/vm-1 node/guests/vm-2 node/guests/vm-3 node/guests/vm-4 "
           "node/guests/vm-5 ");
  CHECK(pages == 3);
  CHECK(!ask<actor_tree>(below("nobody")));
  CHECK(!ask<actor_tree>(below("node/guests/vm-1"))); // it has no children
}

TEST_CASE_FIXTURE(on_virtual_time, "no answer lists more children than one may") {
  supervisor_spec guests;
  guests.name = "guests";
  for (int i = 0; i < 200; ++i)
    guests.children.push_back(puppet("vm-" + std::to_string(i)));
  start(std::move(guests.children));
  CHECK(ask<actor_tree>(below("", 1'000))->actors.size() == most_children_shown);
  CHECK(ask<actor_tree>(below("", 0))->actors.size() == 1);
}

TEST_CASE_FIXTURE(on_virtual_time, "a tree shows why a child last died, in bounds") {
  auto spec = puppet("a");
  spec.restart = restart_type::permanent;
  spec.start
      = [](caf::local_actor&) -> caf::actor { throw std::runtime_error{std::string(999, 'x')}; };
  start({spec});
  auto tree = ask<actor_tree>(actor_tree_request{});
  REQUIRE(tree);
  CHECK(tree->actors.at(0).last_failure == std::string(200, 'x'));
  CHECK(tree->actors.at(0).state == actor_state::restarting);
  CHECK(!tree->actors.at(0).mailbox);
}

TEST_CASE_FIXTURE(on_virtual_time, "a supervisor that doesn't answer is shown without children") {
  auto mute = puppet("guests");
  mute.supervisor = true;
  mute.start = [this](caf::local_actor&) {
    auto handle
        = system.spawn([](supervisor_actor::pointer self) -> supervisor_actor::behavior_type {
            return {[](const std::shared_ptr<const child_spec>&) { return caf::actor{}; },
                    [](stop_atom, const std::string&) {},
                    [](const kill_actor&) { return ok_atom::value; },
                    [self](const actor_tree_request&) -> caf::result<actor_tree> {
                      return self->make_response_promise<actor_tree>();
                    }};
          });
    return caf::actor_cast<caf::actor>(handle);
  };
  start({mute, puppet("host")});
  CHECK(tree() == "guests host ");
}

namespace {

struct real_threads : caf::actor_system_config {
  real_threads() {
    add_message_types<caf::id_block::novacron>();
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", size_t{2});
  }
};

} // namespace

TEST_CASE("children that find one another through slots leave nobody behind at the end") {
  // ~actor_system waits for every actor: a leaked handle to a detached one hangs here.
  real_threads cfg;
  caf::actor_system system{cfg};
  auto first = std::make_shared<handle_slot<puppet_actor>>();
  std::atomic<int> started = 0;
  auto behave = [&](puppet_actor::pointer self) -> puppet_actor::behavior_type {
    ++started;
    return {[self](stop_atom, bool) { self->quit(caf::sec::runtime_error); }};
  };
  child_spec engine;
  engine.name = "engine";
  engine.start = [&, first](caf::local_actor&) {
    first->set(system.spawn<caf::detached>(behave));
    return caf::actor_cast<caf::actor>(first->get());
  };
  child_spec user;
  user.name = "user";
  user.start = [&, first](caf::local_actor&) {
    auto known = first->get();
    return caf::actor_cast<caf::actor>(
        system.spawn([known, behave](puppet_actor::pointer self) { return behave(self); }));
  };
  supervisor_spec spec;
  spec.strategy = restart_strategy::rest_for_one;
  spec.children = {engine, user};
  auto root = system.spawn(supervisor, spec, logger{});
  caf::scoped_actor self{system};
  auto wait_for = [&](int count) {
    auto deadline = std::chrono::steady_clock::now() + 10s;
    while (started < count && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    return started >= count;
  };
  REQUIRE(wait_for(2));
  caf::anon_send(first->get(), stop_atom::value, true);
  CHECK(wait_for(4)); // both live again
  self->monitor(root);
  caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  first->clear();
}
