#include "actors/peer/any_controller.hpp"
#include "actors/peer/controllers.hpp"
#include "actors/peer/mesh_errors.hpp"
#include "actors/peer/mesh_transport.hpp"
#include "actors/replica/replica_keeper.hpp"
#include "dwcp/snapshots/snapshot_door.hpp"
#include "storage/errors.hpp"
#include "tests/becomes_true.hpp"
#include "tests/unit/actors/detached_end.hpp"
#include "tests/unit/actors/test_mesh.hpp"

#include <algorithm>

// Real replicas in one process, each with an actor system, a door and links of its own.

using namespace novacron;

namespace {

const std::vector<node_id> all_nodes{controller_id, host_id, third_id};

/// Counts the parts of snapshots that come over the mesh.
class counting_transport final : public replica_transport {
public:
  using counter = std::shared_ptr<std::atomic<size_t>>;

  counting_transport(std::shared_ptr<replica_transport> mesh, counter parts)
      : mesh_{std::move(mesh)}, parts_{std::move(parts)} {
    // nop
  }

  void send(node_id to, std::vector<std::byte> message) override {
    mesh_->send(to, std::move(message));
  }

  void fetch(node_id from, const snapshot_chunk_request& what,
             std::function<void(result<snapshot_chunk>)> done) override {
    mesh_->fetch(from, what,
                 [parts = parts_, done = std::move(done)](result<snapshot_chunk> chunk) {
                   *parts += chunk.has_value();
                   done(std::move(chunk));
                 });
  }

private:
  std::shared_ptr<replica_transport> mesh_;
  counter parts_;
};

struct group_node : test_node {
  std::shared_ptr<standing_links> links = std::make_shared<standing_links>();
  std::shared_ptr<replica_port> port = std::make_shared<replica_port>();
  node_id id;
  uint16_t listens = 0;
  counting_transport::counter parts = std::make_shared<std::atomic<size_t>>(0); ///< of snapshots
  std::atomic<size_t> lent = 0; ///< parts of snapshots, past the mesh
  std::unique_ptr<snapshot_door> snapshots;
  std::string snapshots_at;
  std::shared_ptr<snapshot_line> line;
  replica_actor keeper;

  group_node(const test_authority& authority, node_id node)
      : test_node{authority, node, {node_role::controller, node_role::host}}, id{node} {
    door_routes routes;
    routes.replica = [this] { return keeper; };
    routes.receive = [at = port](node_id from, std::span<const std::byte> message) {
      at->receive(from, message);
    };
    listens = open_door(std::move(routes));
  }

  /// Before `open`: others may read snapshots past the mesh, and so may it.
  void open_snapshots() {
    const tls_files files{folder.path() / "node.pem", folder.path() / "node.key",
                          folder.path() / "ca.pem"};
    snapshot_lender lender;
    lender.knows = [this](node_id node) { return known->has_controller(node); };
    lender.read = [this](const snapshot_chunk_request& what) {
      ++lent;
      return port->read_snapshot(what);
    };
    auto opened = open_snapshot_door(files, "127.0.0.1", 0, std::move(lender));
    REQUIRE(opened.has_value());
    snapshots = std::move(*opened);
    snapshots_at = to_string(address{"127.0.0.1", snapshots->port()});
    line = std::make_shared<snapshot_line>(files);
  }

  ~group_node() {
    links->clear();
    end_detached(*system, keeper);
  }

  void join(const std::vector<address>& all) {
    link_config pattern;
    pattern.self = identity;
    pattern.known = known;
    pattern.standing = links;
    keep(system->spawn(controllers, pattern, all, address{"127.0.0.1", listens}));
  }

  void open() {
    replica_config config;
    config.folder = folder.path() / "storage";
    config.node = id;
    config.cluster = the_cluster;
    config.founders = all_nodes;
    config.keep_log = 50;
    config.transport = std::make_shared<counting_transport>(
        std::make_shared<mesh_transport>(*system, links, line), parts);
    keeper = caf::actor_cast<replica_actor>(system->spawn<caf::detached>(
        replica_keeper, replica_opener{[config] { return replica::open(config); }}, logger{},
        replica_place{id, port, links, snapshots_at}));
  }

  group_status status() {
    return ask<group_status>(keeper, group_status_request{}).value_or(group_status{});
  }

  /// All that its own replica has.
  std::vector<any_record> records() {
    std::vector<any_record> all;
    list_request request;
    do {
      auto page = ask<feed_listing>(keeper, request);
      REQUIRE(page.has_value());
      all.insert(all.end(), page->records.begin(), page->records.end());
      request.from = page->next;
    } while (!request.from.empty());
    return all;
  }
};

bool soon(const std::function<bool()>& holds) {
  return becomes_true(30s, holds);
}

struct group {
  test_authority authority;
  group_node one{authority, controller_id};
  group_node two{authority, host_id};
  group_node three{authority, third_id};
  std::vector<group_node*> nodes{&one, &two, &three};

  group() {
    std::vector<address> all;
    for (auto* each : nodes)
      all.push_back({"127.0.0.1", each->listens});
    for (auto* each : nodes)
      each->join(all);
  }

  bool linked() {
    return soon([&] {
      return std::ranges::all_of(nodes, [&](auto* from) {
        return std::ranges::all_of(
            nodes, [&](auto* to) { return from == to || from->links->find(to->id); });
      });
    });
  }

  group_node* leader() {
    group_node* found = nullptr;
    soon([&] {
      for (auto* each : nodes)
        if (each->keeper && each->status().by_leader())
          found = each;
      return found != nullptr;
    });
    REQUIRE(found != nullptr);
    return found;
  }

  /// How far each is, for who reads a failure.
  std::string stand() {
    std::string text;
    for (auto* each : nodes) {
      const auto x = each->status();
      text += to_string(each->id) + ": term " + std::to_string(x.term) + ", applied "
              + std::to_string(x.applied_index) + ", committed " + std::to_string(x.commit_index)
              + ", leads " + to_string(x.leads) + ' ' + x.refused + "; ";
      for (auto* to : nodes)
        text += each == to || each->links->find(to->id) ? ""
                                                        : "no link to " + to_string(to->id) + "; ";
    }
    return text;
  }

  void write(group_node& leads, const command_body& what) {
    auto done = leads.ask<outcomes>(leads.keeper, proposal{{command{what, {}}}});
    REQUIRE(done.has_value());
    REQUIRE_MESSAGE(done->each.front().ok(), done->each.front().detail);
  }

  void write(group_node& leads, size_t count) {
    for (size_t i = 0; i < count; ++i)
      write(leads, barrier{});
  }

  /// Each with an operation, and of more than a KiB.
  void write_vms(group_node& leads, uint64_t count) {
    host_record host;
    host.id = host_id;
    host.name = "node-2";
    host.vcpus = 1u << 20;
    host.memory_mib = 1u << 30;
    host.images = {"tick"};
    host.boot = {{0, 1}};
    write(leads, register_host{host});
    for (uint64_t n = 1; n <= count; ++n) {
      create_vm wish;
      wish.vm = {{1, n}};
      wish.name = "vm-" + std::to_string(n);
      wish.spec.image = "tick";
      wish.spec.kernel_arguments = std::string(1024, 'x');
      wish.host = host.id;
      wish.operation = {{2, n}};
      write(leads, wish);
    }
  }
};

} // namespace

TEST_CASE("controllers are linked both ways over one connection each, which one of them made") {
  group nodes;
  CHECK(nodes.linked());
}

TEST_CASE("three replicas elect a leader over the mesh, and what it commits reaches all") {
  group nodes;
  REQUIRE(nodes.linked());
  for (auto* each : nodes.nodes)
    each->open();
  auto* leads = nodes.leader();
  nodes.write(*leads, 5);
  const auto committed = leads->status().commit_index;
  for (auto* each : nodes.nodes)
    CHECK_MESSAGE(soon([&] { return each->status().applied_index >= committed; }), "wants ",
                  committed, "; ", nodes.stand());
  CHECK(leads->status().members.size() == 3);
}

TEST_CASE("a follower reads what the leader had, when asked for everything acknowledged") {
  group nodes;
  REQUIRE(nodes.linked());
  for (auto* each : nodes.nodes)
    each->open();
  auto* leads = nodes.leader();
  nodes.write(*leads, 5);
  const auto committed = leads->status().commit_index;
  auto* follower = nodes.nodes[nodes.nodes.front() == leads ? 1 : 0];
  list_request everything;
  everything.linearizable = true;
  CHECK(follower->ask_until<feed_listing>(
      follower->keeper, everything,
      [&](const auto& page, const auto&) { return page && page->revision >= committed; }));
  // Only the leader may say how far that is.
  CHECK(!follower->ask<group_status>(follower->keeper, group_status_request{true}).has_value());
}

TEST_CASE("a replica that was away for longer than the log is kept gets a snapshot in chunks") {
  constexpr uint64_t vms = 200; // more than 200 KiB, in parts of at most 60
  group nodes;
  REQUIRE(nodes.linked());
  nodes.one.open();
  nodes.two.open();
  auto* leads = nodes.leader();
  nodes.write_vms(*leads, vms);
  const auto committed = leads->status().commit_index;
  nodes.three.open();
  REQUIRE_MESSAGE(soon([&] { return nodes.three.status().applied_index >= committed; }),
                  nodes.stand());
  CHECK(nodes.three.parts->load() >= 4);
  const auto records = nodes.three.records();
  CHECK(records.size() == 1 + 2 * vms);
  CHECK(records == leads->records());
}

TEST_CASE("a snapshot's parts come past the mesh, or over it when the door can't be reached") {
  constexpr uint64_t vms = 200;
  group nodes;
  for (auto* each : nodes.nodes)
    each->open_snapshots();
  REQUIRE(nodes.linked());
  nodes.one.open();
  nodes.two.open();
  auto* leads = nodes.leader();
  nodes.write_vms(*leads, vms);
  const auto committed = leads->status().commit_index;
  bool reachable = true;
  SUBCASE("past it") {}
  SUBCASE("over it") {
    reachable = false;
    nodes.one.snapshots.reset();
    nodes.two.snapshots.reset();
  }
  nodes.three.open();
  REQUIRE_MESSAGE(soon([&] { return nodes.three.status().applied_index >= committed; }),
                  nodes.stand());
  CHECK(nodes.three.records() == leads->records());
  if (reachable) {
    CHECK(leads->lent >= 1);
    CHECK(nodes.three.parts->load() == 2); // the first one over the mesh
  } else {
    CHECK(leads->lent == 0);
    CHECK(nodes.three.parts->load() >= 4);
  }
}

TEST_CASE("a snapshot that isn't offered any more is told from one that can't be had now") {
  group nodes;
  REQUIRE(nodes.linked());
  nodes.one.open();
  auto ask = [&](node_id from) {
    std::promise<result<snapshot_chunk>> answer;
    mesh_transport transport{*nodes.two.system, nodes.two.links, nullptr};
    transport.fetch(from, {"of long ago", {}, 1'000},
                    [&](result<snapshot_chunk> chunk) { answer.set_value(std::move(chunk)); });
    auto future = answer.get_future();
    REQUIRE(future.wait_for(15s) == std::future_status::ready);
    return future.get();
  };
  auto gone = ask(controller_id);
  REQUIRE(!gone);
  CHECK(gone.error().code == storage_errc::stopped);
  auto unreachable = ask(node_id{{9, 9}});
  REQUIRE(!unreachable);
  CHECK(unreachable.error().code != storage_errc::stopped);
}

TEST_CASE("a door takes nothing for its replica from nodes that are no controllers") {
  test_authority authority;
  group_node one{authority, controller_id};
  test_node host{authority, third_id, {node_role::host}};
  auto links = std::make_shared<standing_links>();
  auto config = host.to(one.listens);
  config.standing = links;
  auto link = host.link_by(config);
  REQUIRE(soon([&] { return static_cast<bool>(links->find(controller_id)); }));
  // It gives no credit either.
  size_t taken = 0;
  while (links->send(controller_id, {}))
    ++taken;
  CHECK(taken == standing_links::most_untaken);
  std::string error;
  CHECK(!host.ask<snapshot_chunk>(link, snapshot_chunk_request{}, &error).has_value());
  CHECK(error.find("only controllers") != std::string::npos);
  CHECK(!links->send(controller_id, {}));
  links->clear();
}

TEST_CASE("a door that takes messages gives credit for more") {
  group nodes;
  REQUIRE(nodes.linked());
  size_t sent = 0;
  CHECK(soon([&] {
    sent += nodes.one.links->send(host_id, std::vector<std::byte>(100)) ? 1 : 0;
    return sent > 3 * standing_links::most_untaken;
  }));
}

TEST_CASE("a node without a replica goes on with another controller when its own is gone") {
  test_authority authority;
  controller one{authority};
  controller two{authority, third_id};
  test_node host{authority, host_id, {node_role::host}};
  const auto listens = one.open_door(one.routes());
  auto pattern = host.to(listens);
  const std::vector<address> both{{"127.0.0.1", listens},
                                  {"127.0.0.1", two.open_door(two.routes())}};
  auto way = host.keep(host.system->spawn(any_controller, pattern, both));
  REQUIRE(host.ask_until<outcomes>(way, proposal{{report_of(host_id)}},
                                   [](const auto& answer, const auto&) { return !!answer; }));
  auto& first = one.proposals > 0 ? one : two;
  auto& second = one.proposals > 0 ? two : one;
  CHECK(second.proposals == 0);
  caf::anon_send_exit(first.the_door, caf::exit_reason::kill);
  CHECK(host.ask_until<outcomes>(way, proposal{{report_of(host_id)}},
                                 [&](const auto&, const auto&) { return second.proposals > 0; }));
  CHECK(host.ask<feed_listing>(way, list_request{}).has_value());
}

TEST_CASE("a node without a replica leaves a controller that knows no leader") {
  test_authority authority;
  controller one{authority};
  controller two{authority, third_id};
  test_node host{authority, host_id, {node_role::host}};
  one.leads = node_id{};
  const auto listens = one.open_door(one.routes());
  const std::vector<address> both{{"127.0.0.1", listens},
                                  {"127.0.0.1", two.open_door(two.routes())}};
  auto way = host.keep(host.system->spawn(any_controller, host.to(listens), both));
  CHECK(host.ask_until<outcomes>(way, proposal{{report_of(host_id)}},
                                 [&](const auto&, const auto&) { return two.proposals > 0; }));
}
