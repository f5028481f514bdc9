#include "actors/peer/peers.hpp"
#include "tests/unit/actors/test_mesh.hpp"

using namespace novacron;

// Links to nodes that have connected to us: see known_nodes.hpp.

namespace {

/// A host that has connected to a controller, and has a door of its own.
struct connected_host {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  uint16_t port = one.open_door(one.routes(), true);
  uint16_t host_port = 0;
  link_actor link;

  connected_host() {
    auto feed = two.keep(
        two.system->spawn([](feed_source_actor::pointer) -> feed_source_actor::behavior_type {
          return {[](const list_request&) {
                    feed_listing page;
                    page.revision = 42;
                    return page;
                  },
                  [](const pull_request&) { return feed_changes{}; },
                  [](const migration_progress&) {}};
        }));
    door_routes routes;
    routes.feed = [feed] { return feed; };
    host_port = two.open_door(routes);
    link = two.link_by(two.to(port));
    REQUIRE(two.reads_through(link));
    REQUIRE(one.known->find(host_id));
  }

  /// How the controller reaches the host.
  link_config back() const {
    link_config config;
    config.self = one.identity;
    config.remote = {"127.0.0.1", host_port};
    config.expected_node = host_id;
    config.expected_role = node_role::host;
    config.known = one.known;
    config.dial = false;
    config.temporary = true;
    return config;
  }

  /// The link has ended, within the deadline.
  static bool ends(test_node& node, const link_actor& whom) {
    caf::scoped_actor self{*node.system};
    self->monitor(whom);
    bool down = false;
    self->receive([&](const caf::down_msg&) { down = true; }, caf::after(15s) >> [] {});
    return down;
  }
};

/// The link that `peers` has for a node, if it makes one.
std::optional<link_actor> link_to(test_node& node, const peers_actor& peers, node_id whom,
                                  const std::string& where) {
  std::optional<link_actor> out;
  caf::scoped_actor self{*node.system};
  self->request(peers, 5s, caf::connect_atom::value, whom, where)
      .receive([&](const link_actor& x) { out = x; }, [](const caf::error&) {});
  return out;
}

} // namespace

TEST_CASE_FIXTURE(connected_host, "a node is reached over the connection that it made") {
  auto config = back();
  config.remote.port = 1; // where nobody listens
  SUBCASE("by who must not dial") {
    CHECK(one.reads_through(one.link_by(config)));
  }
  SUBCASE("by who may dial, too: a second connection would end the first") {
    config.dial = true;
    CHECK(one.reads_through(one.link_by(config)));
  }
  CHECK(two.reads_through(link)); // which still stands
}

TEST_CASE_FIXTURE(connected_host,
                  "a node that has not connected is left alone by who must not dial") {
  auto config = back();
  config.known = std::make_shared<known_nodes>();
  CHECK(one.fails_through(one.link_by(config), "has not connected"));
}

TEST_CASE_FIXTURE(connected_host, "a node is known until its last link is gone") {
  auto another = two.link_by(two.to(port));
  REQUIRE(two.reads_through(another));
  caf::anon_send_exit(another, caf::exit_reason::kill);
  REQUIRE(ends(two, another));
  // The door has seen it once it reaches the host over the link that is left.
  CHECK(becomes([&] {
    std::string error;
    one.ask<ok_atom>(one.the_door, kill_actor{host_id, "host"}, &error);
    return error.find("not allowed on node") != std::string::npos;
  }));
  CHECK(one.known->find(host_id));
  caf::anon_send_exit(link, caf::exit_reason::kill);
  CHECK(becomes([&] { return !one.known->find(host_id); }));
}

TEST_CASE_FIXTURE(connected_host, "a temporary link ends when it goes down after it stood") {
  auto back_link = one.link_by(back());
  REQUIRE(one.reads_through(back_link));
  caf::anon_send_exit(two.the_door, caf::exit_reason::kill);
  CHECK(ends(one, back_link));
}

TEST_CASE_FIXTURE(connected_host, "a temporary link tries until it stands") {
  caf::anon_send_exit(one.the_door, caf::exit_reason::kill);
  auto config = two.to(port);
  config.temporary = true;
  auto eager = two.link_by(config);
  REQUIRE(two.fails_through(eager, "there is no link"));
  one.open_door(one.routes(), false, port);
  CHECK(two.reads_through(eager));
}

TEST_CASE_FIXTURE(connected_host, "peers replace a link that has ended, or whose node has moved") {
  auto links = one.keep(one.system->spawn(peers, back()));
  auto where = "127.0.0.1:" + std::to_string(host_port);
  auto first = link_to(one, links, host_id, where);
  REQUIRE(first);
  REQUIRE(one.reads_through(*first));
  SUBCASE("ended") {
    caf::anon_send_exit(*first, caf::exit_reason::kill);
    REQUIRE(ends(one, *first));
    CHECK(becomes([&] { return link_to(one, links, host_id, where) != first; }));
  }
  SUBCASE("moved") {
    CHECK(link_to(one, links, host_id, "127.0.0.1:1") != first);
    CHECK(ends(one, *first));
  }
  SUBCASE("peers' own end") {
    caf::anon_send_exit(links, caf::exit_reason::kill);
    CHECK(ends(one, *first));
  }
}

TEST_CASE_FIXTURE(connected_host, "peers' links lead to the node that was asked for, or nowhere") {
  auto links = two.keep(two.system->spawn(peers, two.to(port)));
  auto wrong = link_to(two, links, third_id, "127.0.0.1:" + std::to_string(port));
  REQUIRE(wrong);
  CHECK(two.fails_through(*wrong, "it is node"));
}
