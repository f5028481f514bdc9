#include "actors/peer/controllers.hpp"
#include "actors/peer/node_roster.hpp"
#include "actors/peer/roster.hpp"
#include "tests/power_cut/power_cut.hpp"
#include "tests/unit/actors/test_mesh.hpp"
#include "tests/unit/actors/virtual_time.hpp"

using namespace novacron;

namespace {

node_record node_of(node_id id, const std::string& door, member_wish wish = member_wish::unsaid) {
  node_record node;
  node.id = id;
  node.name = "node";
  node.roles = {node_role::controller};
  node.mesh_address = door;
  node.wish = wish;
  return node;
}

bool knocks_in_vain(test_node& who, uint16_t port) {
  return who.fails_through(who.link_by(who.to(port)), "was removed from the cluster");
}

} // namespace

TEST_CASE("a roster outlives its process, and removal is for ever") {
  scratch_folder folder;
  const auto file = folder.path() / "nodes";
  {
    node_roster roster{file};
    roster.put(node_of(host_id, "127.0.0.1:7102"));
    roster.put(node_of(third_id, "127.0.0.1:7103"));
    roster.put(node_of(host_id, "127.0.0.1:7102", member_wish::removed));
    CHECK(roster.save());
  }
  node_roster again{file};
  CHECK(again.removed(host_id));
  CHECK(!again.removed(third_id));
  CHECK(again.controllers() == std::vector{known_controller{third_id, {"127.0.0.1", 7103}}});
  again.put(node_of(host_id, "127.0.0.1:7102")); // an older word
  CHECK(again.removed(host_id));
  CHECK(again.controllers().size() == 1);
}

TEST_CASE("a node that was removed stays so after a power cut") {
  scratch_folder folder;
  const auto state = folder.path() / "state";
  std::filesystem::create_directory(state);
  power_cut power{state};
  node_roster roster{state / "nodes"};
  roster.put(node_of(third_id, "127.0.0.1:7103"));
  REQUIRE(roster.save());
  roster.put(node_of(host_id, "", member_wish::removed));
  REQUIRE(roster.save());
  power.survivors(folder.path() / "left");
  node_roster again{folder.path() / "left" / "nodes"};
  CHECK(again.removed(host_id));
  CHECK(again.controllers().size() == 1);
}

TEST_CASE("a roster that can't be written says so, and tries again") {
  scratch_folder folder;
  node_roster roster{folder.path() / "gone" / "nodes"};
  CHECK(roster.save()); // nothing to write
  roster.put(node_of(host_id, "", member_wish::removed));
  CHECK(!roster.save());
  std::filesystem::create_directory(folder.path() / "gone");
  CHECK(roster.save());
  CHECK(node_roster{folder.path() / "gone" / "nodes"}.removed(host_id));
}

TEST_CASE("a roster's lines that make no sense are skipped") {
  scratch_folder folder;
  const auto file = folder.write("nodes", "removed\ncontroller x y\nbanana " + to_string(host_id)
                                              + "\nremoved " + to_string(third_id) + "\n");
  node_roster roster{file};
  CHECK(roster.removed(third_id));
  CHECK(!roster.removed(host_id));
  CHECK(roster.controllers().empty());
}

TEST_CASE("of controllers that joined, each pair has one that dials; those listed dial none") {
  const std::vector<address> listed{{"127.0.0.1", 7101}, {"127.0.0.1", 7102}};
  const std::vector<known_controller> known{{controller_id, {"127.0.0.1", 7101}},
                                            {host_id, {"127.0.0.1", 7104}},
                                            {third_id, {"127.0.0.1", 7105}}};
  CHECK(joined_to_dial(listed, {"127.0.0.1", 7101}, controller_id, known).empty());
  CHECK(joined_to_dial(listed, {"127.0.0.1", 7104}, host_id, known).empty());
  CHECK(joined_to_dial(listed, {"127.0.0.1", 7105}, third_id, known)
        == std::vector{known_controller{host_id, {"127.0.0.1", 7104}}});
  // Nobody knows where node 4 is, so that it has to dial node 5.
  const std::vector<known_controller> without_self{known[0], known[2]};
  CHECK(joined_to_dial(listed, {"127.0.0.1", 7104}, host_id, without_self)
        == std::vector{known[2]});
}

TEST_CASE("a removed node's certificate is refused at the door, and what it had there ends") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  one.roster = std::make_shared<node_roster>();
  auto port = one.open_door(one.routes());
  auto link = two.link_by(two.to(port));
  REQUIRE(two.reads_through(link));
  one.roster->put(node_of(host_id, "", member_wish::removed));
  CHECK(two.fails_through(link, "was removed from the cluster"));
  CHECK(knocks_in_vain(two, port));
}

TEST_CASE("a removed node isn't spoken to, either") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto config = two.to(one.open_door(one.routes()));
  auto roster = std::make_shared<node_roster>();
  roster->put(node_of(controller_id, "", member_wish::removed));
  config.roster = roster;
  CHECK(two.fails_through(two.link_by(config), "was removed from the cluster"));
}

TEST_CASE("a link that stands ends when the node that it leads to is removed") {
  test_authority authority;
  controller one{authority};
  test_node two{authority, host_id, {node_role::host}};
  auto config = two.to(one.open_door(one.routes()));
  auto roster = std::make_shared<node_roster>();
  config.roster = roster;
  auto link = two.link_by(config);
  REQUIRE(two.reads_through(link));
  roster->put(node_of(controller_id, "", member_wish::removed));
  CHECK(two.fails_through(link, "was removed from the cluster"));
}

TEST_CASE("who joins learns from any controller which others joined, also without a leader") {
  test_authority authority;
  controller one{authority};
  auto routes = one.routes();
  routes.feed
      = [feed = one.keep(
             one.system->spawn([](feed_source_actor::pointer) -> feed_source_actor::behavior_type {
               return {[](const list_request& what) {
                         feed_listing page; // of two pages
                         page.revision = 42;
                         page.records = {what.from.empty() ? node_of(host_id, "127.0.0.1:7104")
                                                           : node_of(third_id, "127.0.0.1:7105")};
                         page.next = what.from.empty() ? "more" : "";
                         return page;
                       },
                       [](const pull_request&) { return feed_changes{}; },
                       [](const migration_progress&) {}};
             }))] { return feed; };
  test_node two{authority, host_id, {node_role::controller}};
  auto link = two.to(one.open_door(routes));
  link.standing = std::make_shared<standing_links>();
  two.link_by(link);
  REQUIRE(becomes([&] { return static_cast<bool>(link.standing->find(controller_id)); }));
  roster_config config;
  config.self = node_of(host_id, "127.0.0.1:7104");
  config.book = std::make_shared<node_roster>();
  config.feed = [] { return feed_source_actor{}; }; // its replica has nothing yet
  config.frontend = [] { return frontend_actor{}; };
  config.links = link.standing;
  two.keep(two.system->spawn(roster, config));
  CHECK(becomes([&] { return config.book->controllers().size() == 2; }));
}

namespace {

/// A log that has been told who this node is, and then lost that with its last part.
struct forgetful_log : virtual_time {
  node_record me = node_of(host_id, "127.0.0.1:7104");
  bool lost = false;
  int registrations = 0;
  std::shared_ptr<node_roster> book = std::make_shared<node_roster>();
  feed_source_actor feed = system.spawn([this] { return feeding(); });
  frontend_actor frontend = system.spawn([this] { return registering(); });
  roster_actor roster_here;

  forgetful_log() {
    roster_config how;
    how.self = me;
    how.book = book;
    how.feed = [this] { return feed; };
    how.frontend = [this] { return frontend; };
    roster_here = system.spawn(roster, how);
  }
  ~forgetful_log() {
    caf::anon_send_exit(roster_here, caf::exit_reason::kill);
    roster_here = nullptr;
    run();
  }

  feed_source_actor::behavior_type feeding() {
    return {[this](const list_request&) {
              feed_listing page;
              page.revision = lost ? 1'000 : 10;
              if (registrations != (lost ? 1 : 0))
                page.records = {me};
              return page;
            },
            [this](const pull_request& what) -> caf::result<feed_changes> {
              if (!lost || what.after >= 1'000)
                return caf::sec::request_timeout;
              feed_changes news;
              news.revision = 1'000;
              news.too_old = true;
              return news;
            },
            [](const migration_progress&) {}};
  }
  frontend_actor::behavior_type registering() {
    return {[this](const proposal& what) {
              outcomes answer;
              for (const auto& each : what.commands)
                registrations += std::holds_alternative<register_node>(each.body) ? 1 : 0;
              answer.each.resize(what.commands.size());
              return answer;
            },
            [](const group_status_request&) { return group_status{}; }};
  }
};

} // namespace

TEST_CASE_FIXTURE(forgetful_log, "a node registers once, and again with a log that has lost it") {
  pass(20s);
  CHECK(registrations == 1);
  lost = true;
  pass(20s);
  CHECK(registrations == 2);
}
