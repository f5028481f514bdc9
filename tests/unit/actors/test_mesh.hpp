#pragma once

#include "actors/peer/door.hpp"
#include "actors/peer/link.hpp"
#include "actors/peer/mesh_config.hpp"
#include "tests/becomes_true.hpp"
#include "tests/unit/actors/test_authority.hpp"

#include <atomic>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <doctest/doctest.h>
#include <future>

namespace novacron {

using namespace std::chrono_literals;

inline const cluster_id the_cluster{{7, 7}};
inline const node_id controller_id{{0, 1}};
inline const node_id host_id{{0, 2}};
inline const node_id third_id{{0, 3}};

/// One node: its files, its identity, its actor system.
struct test_node {
  scratch_folder folder;
  std::shared_ptr<mesh_identity> identity = std::make_shared<mesh_identity>();
  caf::actor_system_config cfg;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<known_nodes> known = std::make_shared<known_nodes>(); ///< as its door writes it
  std::shared_ptr<node_roster> roster; ///< of its door; may be null
  std::vector<caf::actor> actors;      ///< to be ended

  test_node(const test_authority& authority, node_id id, std::vector<node_role> roles) {
    auto own = authority.issue(id, roles);
    mesh_config mesh;
    mesh.cluster = the_cluster;
    mesh.files = {folder.write("node.pem", own.certificate), folder.write("node.key", own.key),
                  folder.write("ca.pem", authority.certificate())};
    auto read = read_mesh_identity(mesh.files);
    REQUIRE(read.has_value());
    *identity = *read;
    identity->cluster = the_cluster;
    identity->name = "node-" + std::to_string(id.value.low);
    REQUIRE(configure_mesh(cfg, mesh).has_value());
    system = std::make_unique<caf::actor_system>(cfg);
  }

  ~test_node() {
    for (const auto& each : actors)
      caf::anon_send_exit(each, caf::exit_reason::kill);
  }

  template <class Handle>
  Handle keep(Handle handle) {
    actors.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  uint16_t open_door(door_routes routes, bool chaos = false, uint16_t port = 0) {
    auto opened = std::make_shared<std::promise<uint16_t>>();
    door_config config;
    config.self = identity;
    config.listen = address{"127.0.0.1", port};
    config.chaos = chaos;
    config.known = known;
    config.roster = roster;
    config.published = [opened](uint16_t x) { opened->set_value(x); };
    the_door = keep(door_actor{system->spawn(door, config, routes)});
    auto future = opened->get_future();
    REQUIRE(future.wait_for(15s) == std::future_status::ready);
    return future.get();
  }
  door_actor the_door;

  link_config to(uint16_t port) const {
    link_config config;
    config.self = identity;
    config.remote = {"127.0.0.1", port};
    config.expected_role = node_role::controller;
    return config;
  }

  link_actor link_by(link_config config) {
    return keep(system->spawn(novacron::link, std::move(config)));
  }

  /// Asks once; the answer, or nothing and the error's text.
  template <class Answer, class Handle, class Question>
  std::optional<Answer> ask(const Handle& whom, const Question& what,
                            std::string* error = nullptr) {
    std::optional<Answer> out;
    caf::scoped_actor self{*system};
    self->request(whom, 5s, what)
        .receive([&](const Answer& x) { out = x; },
                 [&](const caf::error& why) {
                   if (error)
                     *error = system->render(why);
                 });
    return out;
  }

  /// Asks until the answer, or the error's text, is what the test waits for.
  template <class Answer, class Handle, class Question, class Until>
  bool ask_until(const Handle& whom, const Question& what, Until until) {
    const auto limit = std::chrono::steady_clock::now() + 15s;
    do {
      std::string error;
      auto answer = ask<Answer>(whom, what, &error);
      if (until(answer, error))
        return true;
      std::this_thread::yield();
    } while (std::chrono::steady_clock::now() < limit);
    return false;
  }

  bool reads_through(const link_actor& whom) {
    return ask_until<feed_listing>(whom, list_request{}, [](const auto& page, const auto&) {
      return page && page->revision == 42;
    });
  }

  bool fails_through(const link_actor& whom, std::string_view why) {
    return ask_until<feed_listing>(whom, list_request{}, [&](const auto&, const auto& error) {
      return error.find(why) != std::string::npos;
    });
  }
};

template <class Condition>
bool becomes(Condition holds) {
  return becomes_true(15s, holds);
}

/// A controller with a feed at revision 42 and a frontend that takes everything.
struct controller : test_node {
  explicit controller(const test_authority& authority, node_id id = controller_id)
      : test_node{authority, id, {node_role::controller}} {
    feed = keep(system->spawn([](feed_source_actor::pointer) -> feed_source_actor::behavior_type {
      return {[](const list_request&) {
                feed_listing page;
                page.revision = 42;
                return page;
              },
              [](const pull_request&) { return feed_changes{}; }, [](const migration_progress&) {}};
    }));
    frontend = keep(
        system->spawn([this](frontend_actor::pointer self) -> frontend_actor::behavior_type {
          return {[this, self](const proposal& x) -> caf::result<outcomes> {
                    ++proposals;
                    if (mute)
                      return self->make_response_promise<outcomes>();
                    return outcomes{std::vector<command_outcome>(x.commands.size())};
                  },
                  [this, self](const group_status_request&) -> caf::result<group_status> {
                    if (silent)
                      return self->make_response_promise<group_status>();
                    group_status status;
                    status.node = status.leads = leads;
                    if (praises)
                      status.members = {{controller_id, true, true, 0}, {third_id, true, true, 0}};
                    return status;
                  }};
        }));
  }

  [[nodiscard]] door_routes routes() const {
    return {.frontend = [x = frontend] { return x; },
            .leader = {},
            .replica = {},
            .receive = {},
            .feed = [x = feed] { return x; },
            .host = {},
            .supervisor = {},
            .controller = {}};
  }

  feed_source_actor feed;
  frontend_actor frontend;
  node_id leads = controller_id; ///< as its replica says
  std::atomic<int> proposals = 0;
  std::atomic<bool> praises = false; ///< says that all replicas are well
  std::atomic<bool> mute = false;    ///< it answers no proposals
  std::atomic<bool> silent = false;  ///< nor how the replicas stand
};

inline command report_of(node_id host) {
  host_report body;
  body.host = host;
  return {body, {}};
}

} // namespace novacron
