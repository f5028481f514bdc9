#include "test_cluster.hpp"

#include <doctest/doctest.h>

using namespace novacron;

namespace {

constexpr auto node_4 = test_id<node_id>(4);
constexpr auto token = test_id<token_id>(30);

struct nodes : test_cluster {
  nodes() {
    for (auto [id, name] : {std::pair{node_1, "node-1"}, std::pair{node_2, "node-2"}})
      say(id, name, 10 + id.value.low);
  }

  command_outcome say(node_id id, const std::string& name, uint64_t disk,
                      std::vector<node_role> roles = {node_role::controller}) {
    node_record node;
    node.id = id;
    node.name = name;
    node.roles = std::move(roles);
    node.mesh_address = "127.0.0.1:7101";
    node.disk = disk;
    node.wish = member_wish::removed; // which a node can't say of itself
    return run(register_node{node});
  }
  command_outcome wish(node_id id, member_wish what, node_id replaces = {}) {
    return run(wish_member{id, what, replaces});
  }
  const node_record& node(node_id id) { return *state.find_node(id); }

  command_outcome make_token(std::vector<node_role> roles = {node_role::controller},
                             std::chrono::milliseconds life = std::chrono::hours{1}) {
    return run(make_join_token{token, {}, std::move(roles), life});
  }
  command_outcome use_token(node_id id, const std::string& name) {
    node_record comer;
    comer.id = id;
    comer.name = name;
    comer.roles = {node_role::gateway}; // not what the token says
    comer.mesh_address = "127.0.0.1:7104";
    return run(use_join_token{token, comer});
  }
};

} // namespace

TEST_CASE_FIXTURE(nodes, "a node is known as it says, and again changes nothing") {
  CHECK(node(node_1).name == "node-1");
  CHECK(node(node_1).wish == member_wish::unsaid);
  CHECK(node(node_1).disk == 11);
  say(node_1, "node-1", 11);
  CHECK(last.changes.empty());
  say(node_1, "node-1", 0); // not known yet, after a restart
  CHECK(node(node_1).disk == 11);
}

TEST_CASE_FIXTURE(nodes, "a node on another disk is refused, with the command that replaces it") {
  auto refused = say(node_2, "node-2", 99);
  CHECK(refused.error == command_errc::other_disk);
  CHECK(refused.detail.find("novacron node replace node-2 NEW") != std::string::npos);
  CHECK(node(node_2).disk == 12);
}

TEST_CASE_FIXTURE(nodes, "two nodes that are there have no name in common") {
  CHECK(say(node_4, "node-2", 14).error == command_errc::name_taken);
  CHECK(say(node_4, "node-4", 14).ok());
}

TEST_CASE_FIXTURE(nodes, "a removed node is gone for ever, its host and its lease with it") {
  run(renew_lease{node_2, boot, std::chrono::seconds{10}});
  CHECK(wish(node_2, member_wish::leaving).ok());
  CHECK(state.find(node_2)->state == host_state::up);
  CHECK(wish(node_2, member_wish::removed).ok());
  CHECK(state.find(node_2)->state == host_state::gone);
  CHECK(state.leases().at(0).expired);
  CHECK(say(node_2, "node-2", 12).error == command_errc::node_removed);
  CHECK(run(register_host{host(node_2, "node-2")}).error == command_errc::node_removed);
  CHECK(wish(node_2, member_wish::voter).error == command_errc::node_removed);
  CHECK(wish(node_2, member_wish::leaving).ok());
  CHECK(say(node_4, "node-2", 14).ok()); // its name is free
}

TEST_CASE_FIXTURE(nodes, "a node with VMs is not taken away, nor replaced") {
  create();
  CHECK(wish(node_1, member_wish::leaving).error == command_errc::node_in_use);
  say(node_4, "node-4", 14);
  CHECK(wish(node_4, member_wish::voter, node_1).error == command_errc::node_in_use);
  CHECK(wish(node_4, member_wish::voter, node_2).ok());
  CHECK(node(node_4).replaces == node_2);
}

TEST_CASE_FIXTURE(nodes, "a node that a migration needs is not taken away before that is over") {
  started();
  auto migrate = reserve();
  CHECK(wish(node_2, member_wish::leaving).error == command_errc::node_in_use);
  decide(migration_decision::commit);
  see(actual_state::running);
  auto early = wish(node_1, member_wish::leaving);
  CHECK(early.error == command_errc::node_in_use);
  CHECK(early.detail.find("novacron host fenced node-1") != std::string::npos);
  SUBCASE("as it has done its part") {
    clean(node_1);
  }
  SUBCASE("as an operator says that it is off") {
    lose(node_1);
    CHECK(wish(node_1, member_wish::removed).error == command_errc::node_in_use);
    CHECK(run(fence_host{node_1}).ok());
  }
  CHECK(became(migrate) == operation_state::succeeded);
  CHECK(the_vm().migration.nil());
  CHECK(wish(node_1, member_wish::removed).ok());
}

TEST_CASE_FIXTURE(nodes, "wishes that make no sense are refused") {
  CHECK(wish(node_4, member_wish::voter).error == command_errc::unknown_node);
  CHECK(wish(node_1, member_wish::unsaid).error == command_errc::wrong_state);
  CHECK(wish(node_1, member_wish::voter, node_1).error == command_errc::unknown_node);
  CHECK(wish(node_1, member_wish::voter, node_4).error == command_errc::unknown_node);
  CHECK(wish(node_1, member_wish::standby, node_2).error == command_errc::unknown_node);
  say(node_4, "node-4", 0, {node_role::host});
  CHECK(wish(node_4, member_wish::voter).error == command_errc::wrong_state);
}

TEST_CASE_FIXTURE(nodes, "a token lets one node in, once, in the token's roles") {
  CHECK(make_token().ok());
  CHECK(use_token(node_4, "node-4").ok());
  CHECK(node(node_4).roles == std::vector{node_role::controller});
  CHECK(state.find(token)->used_by == node_4);
  CHECK(use_token(node_4, "node-4").ok()); // it got no answer
  auto again = use_token(test_id<node_id>(5), "node-5");
  CHECK(again.error == command_errc::bad_token);
  CHECK(again.detail.find("was used") != std::string::npos);
}

TEST_CASE_FIXTURE(nodes, "a token that is too old, unknown or senseless lets nobody in") {
  CHECK(use_token(node_4, "node-4").error == command_errc::bad_token);
  CHECK(make_token({}).error == command_errc::bad_token);
  CHECK(make_token({node_role::host}, std::chrono::hours{24 * 8}).error == command_errc::bad_token);
  CHECK(make_token().ok());
  CHECK(make_token().error == command_errc::bad_token);
  CHECK(use_token(node_4, "node-1").error == command_errc::name_taken);
  CHECK(use_token(node_1, "node-9").error == command_errc::bad_token); // whose id is known
  pass(std::chrono::hours{1});
  CHECK(use_token(node_4, "node-4").detail.find("too old") != std::string::npos);
  CHECK(!state.find_node(node_4));
  pass(std::chrono::hours{25});
  CHECK(run(make_join_token{test_id<token_id>(31), {}, {node_role::host}, std::chrono::hours{1}})
            .ok());
  CHECK(!state.find(token)); // it was forgotten
}

TEST_CASE_FIXTURE(nodes, "after a recovery nothing is placed until each host has said what runs") {
  create();
  timeline = 4;
  CHECK(run(recover_cluster{node_1}).ok());
  CHECK(node(node_1).wish == member_wish::voter);
  CHECK(node(node_2).wish == member_wish::removed);
  auto start = [&] { return request(requested_state::running); };
  CHECK(start().detail.find("node-1, node-2") != std::string::npos);
  CHECK(create(test_id<vm_id>(12), "web-2").error == command_errc::hosts_awaited);
  CHECK(request(requested_state::stopped).ok()); // nothing runs by that
  // A renewal of the boot that was known says nothing of what runs.
  CHECK(run(renew_lease{node_1, boot, std::chrono::seconds{10}}).error
        == command_errc::stale_lease);
  CHECK(run(confirm_inventory{node_1, boot}).error == command_errc::stale_lease);
  // Nor does its registration: it has yet to look, knowing what the log has now.
  CHECK(run(register_host{host(node_1, "node-1")}).ok());
  CHECK(start().detail.find("node-1, node-2") != std::string::npos);
  CHECK(run(confirm_inventory{node_1, test_id<boot_id>(99)}).error == command_errc::stale_lease);
  CHECK(run(confirm_inventory{test_id<node_id>(77), boot}).error == command_errc::unknown_host);
  CHECK(run(confirm_inventory{node_1, boot}).error == command_errc::wrong_state); // no lease yet
  renew(node_1);
  CHECK(run(confirm_inventory{node_1, boot}).ok());
  CHECK(run(confirm_inventory{node_1, boot}).ok()); // it got no answer
  CHECK(start().detail.find("node-1") == std::string::npos);
  CHECK(start().detail.find("node-2") != std::string::npos);
  // The other was a controller, too, and is gone for good.
  CHECK(wish(node_2, member_wish::removed).ok());
  CHECK(run(register_host{host(node_2, "node-2")}).error == command_errc::node_removed);
}

TEST_CASE_FIXTURE(nodes,
                  "after a recovery a host that is fenced is awaited no more, though it returns") {
  say(node_2, "node-2", 12, {node_role::host}); // which outlives the recovery
  run(recover_cluster{node_1});
  CHECK(run(fence_host{node_2}).ok());
  run(register_host{host(node_1, "node-1")});
  renew(node_1);
  run(confirm_inventory{node_1, boot});
  CHECK(create().ok());
  run(register_host{host(node_2, "node-2")});
  renew(node_2);
  CHECK(state.find(node_2)->state == host_state::up);
  CHECK(create(test_id<vm_id>(12), "web-2").ok());
}

TEST_CASE_FIXTURE(nodes, "after a recovery no migration is decided until all have said what runs") {
  say(node_2, "node-2", 12, {node_role::host}); // which outlives the recovery
  started();
  reserve();
  run(recover_cluster{node_1});
  for (const auto what : {migration_decision::commit, migration_decision::abort})
    CHECK(decide(what).error == command_errc::hosts_awaited);
  // To stop its VM, or to delete it, would abort it.
  CHECK(request(requested_state::stopped).error == command_errc::hosts_awaited);
  CHECK(request(requested_state::deleted).error == command_errc::hosts_awaited);
  CHECK(the_move().undecided());
  for (const auto id : {node_1, node_2}) {
    run(register_host{host(id, id == node_1 ? "node-1" : "node-2")});
    renew(id);
    CHECK(decide(migration_decision::abort).error == command_errc::hosts_awaited);
    CHECK(run(confirm_inventory{id, boot}).ok());
  }
  CHECK(decide(migration_decision::abort).ok());
}

TEST_CASE_FIXTURE(nodes, "after a recovery what hasn't started yet does so by a new permission") {
  say(node_2, "node-2", 12, {node_role::host}); // which outlives the recovery
  create();
  request(requested_state::running);
  const auto before = the_vm().epoch;
  timeline = 4;
  run(recover_cluster{node_1});
  for (const auto id : {node_1, node_2}) {
    run(register_host{host(id, id == node_1 ? "node-1" : "node-2")});
    renew(id);
    CHECK(the_vm().epoch == before); // by a lost one it may run already, elsewhere
    CHECK(run(confirm_inventory{id, boot}).ok());
  }
  CHECK(the_vm().epoch == epoch{4, before.number + 1});
  CHECK(the_vm().actual == actual_state::starting);
}

TEST_CASE_FIXTURE(nodes,
                  "before cluster version 5 a recovery waits for hosts to register, no more") {
  say(node_2, "node-2", 12, {node_role::host}); // which outlives the recovery
  version = inventories_since - 1;
  run(recover_cluster{node_1});
  CHECK(create().error == command_errc::hosts_awaited);
  run(register_host{host(node_1, "node-1")});
  run(register_host{host(node_2, "node-2")});
  renew(node_1);
  CHECK(create().ok());
}

TEST_CASE_FIXTURE(nodes,
                  "a permission given after a recovery is above all that were given before") {
  started();
  const auto before = the_vm().epoch;
  request(requested_state::stopped);
  see(actual_state::defined);
  timeline = 4;
  request(requested_state::running);
  CHECK(the_vm().epoch > before);
  CHECK(the_vm().epoch.timeline == 4);
}
