#include "actors/peer/any_controller.hpp"
#include "actors/peer/controllers.hpp"
#include "actors/peer/door.hpp"
#include "tests/unit/actors/test_authority.hpp"
#include "tests/unit/actors/virtual_time.hpp"

#include <caf/default_attachable.hpp>
#include <doctest/doctest.h>

using namespace novacron;
using namespace std::chrono_literals;

namespace {

const node_id controller_id{{0, 1}};
const node_id host_id{{0, 2}};

/// A controller's door and the links of a host to it, in one process: whoever dials
/// finds the door.
struct door_and_links : virtual_time {
  test_authority authority;
  std::shared_ptr<node_roster> roster = std::make_shared<node_roster>(); ///< the door's
  std::shared_ptr<standing_links> standing = std::make_shared<standing_links>();
  std::vector<link_actor> askers; ///< of the feed
  feed_source_actor feed
      = system.spawn([this](feed_source_actor::pointer self) -> feed_source_actor::behavior_type {
          return {[this, self](const list_request&) {
                    askers.push_back(caf::actor_cast<link_actor>(self->current_sender()));
                    return feed_listing{};
                  },
                  [](const pull_request&) { return feed_changes{}; },
                  [](const migration_progress&) {}};
        });
  door_actor the_door;
  caf::actor connector;

  door_and_links() {
    door_config how;
    how.self = identity(controller_id, node_role::controller);
    how.roster = roster;
    door_routes routes;
    routes.feed = [this] { return feed; };
    the_door = system.spawn(door, how, routes);
    connector = system.spawn([this](caf::event_based_actor* self) -> caf::behavior {
      return {[this, self](caf::connect_atom, const std::string&, uint16_t)
                  -> caf::result<caf::node_id, caf::strong_actor_ptr, std::set<std::string>> {
        return {self->node(), caf::actor_cast<caf::strong_actor_ptr>(the_door),
                std::set<std::string>{}};
      }};
    });
    run();
  }
  ~door_and_links() {
    askers.clear();
    for (const auto& each :
         {caf::actor_cast<caf::actor>(the_door), connector, caf::actor_cast<caf::actor>(feed)})
      kill(each);
  }

  std::shared_ptr<const mesh_identity> identity(node_id node, node_role role) const {
    auto own = authority.issue(node, {role});
    auto out = std::make_shared<mesh_identity>();
    out->node = node;
    out->certificate = own.certificate;
    out->key = own.key;
    out->authority = authority.certificate();
    return out;
  }

  link_config pattern() {
    link_config how;
    how.self = identity(host_id, node_role::host);
    how.expected_role = node_role::controller;
    how.remote = {"controller", 1};
    how.standing = standing;
    how.ports.connector = caf::actor_cast<caf::io::middleman_actor>(connector);
    return how;
  }

  /// How many times the link would be told of the door's end. They are taken away.
  size_t monitors_of(const caf::actor_addr& link) {
    return caf::actor_cast<caf::abstract_actor*>(the_door)->detach(
        caf::default_attachable::observe_token{link, caf::default_attachable::monitor});
  }
};

void remove_host(node_roster& roster) {
  node_record node;
  node.id = host_id;
  node.wish = member_wish::removed;
  roster.put(node);
}

/// Ends when the actor does.
template <class Handle>
std::shared_ptr<bool> end_of(const Handle& whom) {
  auto ended = std::make_shared<bool>(false);
  caf::actor_cast<caf::actor>(whom)->attach_functor([ended](const caf::error&) { *ended = true; });
  return ended;
}

} // namespace

TEST_CASE_FIXTURE(door_and_links, "a link that is refused again and again leaves nothing behind") {
  remove_host(*roster);
  auto link = system.spawn(novacron::link, pattern());
  pass(10s);
  CHECK(!standing->find(controller_id));
  CHECK(monitors_of(link.address()) <= 1);
  kill(link);
}

TEST_CASE_FIXTURE(door_and_links, "a link that ends by a fault takes the way with it") {
  auto way = system.spawn(any_controller, pattern(), std::vector<address>{{"controller", 1}});
  const auto ended = end_of(way);
  pass(100ms);
  REQUIRE(ask<feed_listing>(way, list_request{}).answer().has_value());
  REQUIRE(askers.size() == 1);
  CHECK(!*ended);
  kill(askers.front());
  CHECK(*ended); // and is started anew by its supervisor, with all links
  kill(way);
}

TEST_CASE_FIXTURE(door_and_links, "controllers end with a link that ends by a fault") {
  auto how = pattern();
  how.known = std::make_shared<known_nodes>();
  auto all
      = system.spawn(controllers, how, std::vector<address>{{"controller", 1}}, address{"host", 1});
  const auto ended = end_of(all);
  pass(100ms);
  REQUIRE(standing->find(controller_id));
  CHECK(!*ended);
  kill(standing->find(controller_id));
  CHECK(*ended);
  kill(all);
}

TEST_CASE_FIXTURE(door_and_links, "controllers go on when they end a removed node's link") {
  node_record joined;
  joined.id = controller_id;
  joined.roles = {node_role::controller};
  joined.mesh_address = "controller:1";
  auto how = pattern();
  how.known = std::make_shared<known_nodes>();
  auto known = std::make_shared<node_roster>();
  known->put(joined);
  how.roster = known;
  auto all = system.spawn(controllers, how, std::vector<address>{}, address{"host", 1});
  const auto ended = end_of(all);
  pass(100ms);
  REQUIRE(standing->find(controller_id));
  joined.wish = member_wish::removed;
  known->put(joined);
  pass(100ms);
  CHECK(!standing->find(controller_id));
  CHECK(!*ended);
  kill(all);
}
