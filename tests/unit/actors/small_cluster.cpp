#include "tests/unit/actors/small_cluster.hpp"

#include "actors/drain/drain.hpp"
#include "actors/feed/feed.hpp"
#include "actors/frontend/frontend.hpp"
#include "actors/host/host.hpp"
#include "actors/leader_only/leader_only.hpp"
#include "actors/peer/mesh_errors.hpp"
#include "actors/recovery/recovery.hpp"
#include "actors/replica/replica_keeper.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/view/view.hpp"
#include "hypervisor/errors.hpp"
#include "hypervisor/simulated/simulated_hypervisor.hpp"
#include "messages/address.hpp"

#include <algorithm>
#include <doctest/doctest.h>

namespace novacron {

using namespace std::chrono_literals;

namespace {

child_spec child(std::string name, std::function<caf::actor(caf::local_actor&)> start) {
  child_spec spec;
  spec.name = std::move(name);
  spec.start = std::move(start);
  return spec;
}

/// A link to another host, without door and mesh.
link_actor::behavior_type link_to(link_actor::pointer self, std::shared_ptr<host_context> to,
                                  std::atomic<int>* not_up) {
  auto unconnected = [] { return make_error(mesh_errc::unconnected, "not yet"); };
  return {
      [=](const list_request&) -> caf::result<feed_listing> { return unconnected(); },
      [=](const pull_request&) -> caf::result<feed_changes> { return unconnected(); },
      [](const migration_progress&) {},
      [=](const proposal&) -> caf::result<outcomes> { return unconnected(); },
      [=](const prepare_migration& x) -> caf::result<migration_prepared> {
        if (not_up->fetch_sub(1) > 0)
          return unconnected();
        return self->delegate(to->host.get(), x);
      },
      [=](const migration_performed& x) -> caf::result<ok_atom> {
        return self->delegate(to->host.get(), x);
      },
      [=](const kill_actor&) -> caf::result<ok_atom> { return unconnected(); },
      [=](const actor_tree_request&) -> caf::result<actor_tree> { return unconnected(); },
      [=](const group_status_request&) -> caf::result<group_status> { return unconnected(); },
      [=](const snapshot_chunk_request&) -> caf::result<snapshot_chunk> { return unconnected(); },
      [](const replica_message_taken&) {},
      [](tick_atom) {},
  };
}

peers_actor::behavior_type peers_of(peers_actor::pointer, std::map<node_id, link_actor> links) {
  return {[=](caf::connect_atom, node_id node, const std::string&) -> caf::result<link_actor> {
    auto found = links.find(node);
    if (found == links.end())
      return make_error(mesh_errc::unconnected, "no such node");
    return found->second;
  }};
}

} // namespace

struct small_cluster::parts {
  struct system_config : caf::actor_system_config {
    system_config() {
      add_message_types<caf::id_block::novacron>();
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-threads", size_t{2});
    }
  };

  system_config config;
  caf::actor_system system{config};
  handle_slot<replica_actor> replica;
  handle_slot<feed_source_actor> feed;
  handle_slot<scheduler_actor> scheduler;
  handle_slot<frontend_actor> frontend;
  handle_slot<controller_frontend_actor> leader;
  supervisor_actor root;
  std::vector<caf::actor> mesh;
};

std::optional<guest_status> small_host::guest(vm_id vm) const {
  for (const auto& each : machine->guests())
    if (each.vm == vm)
      return each;
  return std::nullopt;
}

bool small_host::runs(vm_id vm) const {
  auto found = guest(vm);
  return found && found->phase == guest_phase::running;
}

small_cluster::small_cluster() : parts_{std::make_unique<parts>()} {
  make_host(first, 1);
  make_host(second, 2);
  auto& system = parts_->system;
  std::map<node_id, link_actor> links;
  for (auto* host : {&first, &second}) {
    auto link = system.spawn(link_to, host->context, &links_not_up);
    links.emplace(host->id, link);
    parts_->mesh.push_back(caf::actor_cast<caf::actor>(link));
  }
  auto peers = system.spawn(peers_of, links);
  parts_->mesh.push_back(caf::actor_cast<caf::actor>(peers));
  first.context->peers.set(peers);
  second.context->peers.set(peers);
  parts_->root = system.spawn(supervisor, tree(), logger{});
  auto up = [&](node_id id) {
    auto host = find<host_record>(id);
    return host && host->state == host_state::up;
  };
  REQUIRE(becomes([&] { return up(first.id) && up(second.id) && view->complete(); }));
}

small_cluster::~small_cluster() {
  first.calls->release();
  second.calls->release();
  {
    caf::scoped_actor self{parts_->system};
    self->send_exit(parts_->root, caf::exit_reason::user_shutdown);
    self->wait_for(parts_->root);
  }
  for (const auto& each : parts_->mesh)
    caf::anon_send_exit(each, caf::exit_reason::kill);
  for (auto* host : {&first, &second}) {
    auto& context = *host->context;
    context.frontend.clear();
    context.feed.clear();
    context.peers.clear();
    context.guests.clear();
    context.host.clear();
    // The last work of the pool may hold it still; its threads can't end it.
    CHECK(becomes([&] { return host->context.use_count() == 1; }));
  }
  parts_->replica.clear();
  parts_->feed.clear();
  parts_->scheduler.clear();
  parts_->frontend.clear();
  parts_->leader.clear();
}

void small_cluster::make_host(small_host& host, uint64_t number) {
  host.id = {{0, number}};
  host.name = "node-" + std::to_string(number);
  simulated_host_config config;
  config.pages_per_guest = 2'048;
  config.latency = [calls = host.calls](std::string_view call) { return calls->pass(call); };
  host.machine = std::make_shared<simulated_host>(config);
  auto context = std::make_shared<host_context>();
  context->state = folder_.path() / host.name;
  std::filesystem::create_directories(context->state / "incoming");
  auto own = authority_.issue(host.id, {node_role::host});
  context->tls = {folder_.write(host.name + ".pem", own.certificate),
                  folder_.write(host.name + ".key", own.key),
                  folder_.write("ca.pem", authority_.certificate())};
  context->images.emplace("tick", image_files{});
  context->move_deadline = [machine = host.machine, hangs = host.fencer_hangs,
                            refused = host.refused_deadlines](auto deadline) -> result<void> {
    if (*hangs) {
      ++*refused;
      return make_failure(hypervisor_errc::unreachable, "the fencer hangs");
    }
    machine->set_deadline(deadline);
    return {};
  };
  context->pool = std::make_shared<blocking_pool>(4);
  context->driver = make_simulated_hypervisor({host.machine});
  auto door = open_page_door(context->tls, "127.0.0.1", 0);
  REQUIRE(door.has_value());
  context->pages = std::move(*door);
  auto& self = context->self;
  self.id = host.id;
  self.name = host.name;
  self.mesh_address = host.name;
  self.page_address = to_string(address{"127.0.0.1", context->pages->port()});
  self.vcpus = 8;
  self.memory_mib = 16'384;
  self.images = {"tick"};
  self.fences = true;
  self.boot = {{0, 100 + number}};
  host.context = std::move(context);
}

supervisor_spec small_cluster::tree() {
  auto& node = *parts_;
  supervisor_spec services;
  services.name = "services";
  services.strategy = restart_strategy::rest_for_one;
  replica_config config;
  config.folder = folder_.path() / "log";
  config.node = first.id;
  config.cluster = {{7, 7}};
  services.children.push_back(child("replica", [&node, config](auto&) {
    auto actor = node.system.spawn<caf::detached>(
        replica_keeper, [config] { return replica::open(config); }, logger{}, replica_place{});
    node.replica.set(actor);
    return caf::actor_cast<caf::actor>(actor);
  }));
  services.children.push_back(child("feed", [this, &node](auto&) {
    auto actor = node.system.spawn(novacron::feed, feed_config{}, node.replica.get());
    node.feed.set(actor);
    first.context->feed.set(actor);
    second.context->feed.set(actor);
    return caf::actor_cast<caf::actor>(actor);
  }));
  services.children.push_back(child("scheduler", [&node](auto&) {
    auto actor = node.system.spawn(novacron::scheduler, scheduler_config{}, node.feed.get());
    node.scheduler.set(actor);
    return caf::actor_cast<caf::actor>(actor);
  }));
  services.children.push_back(child("frontend", [this, &node](auto&) {
    auto actor = node.system.spawn(novacron::frontend, frontend_config{}, node.replica.get(),
                                   node.scheduler.get(), std::shared_ptr<standing_links>{});
    node.frontend.set(actor);
    node.leader.set(actor);
    first.context->frontend.set(actor);
    second.context->frontend.set(actor);
    return caf::actor_cast<caf::actor>(actor);
  }));
  services.children.push_back(child("view", [this, &node](auto&) {
    return caf::actor_cast<caf::actor>(
        node.system.spawn(novacron::view, view, node.feed.get(), 0.0));
  }));
  auto of_the_leader = [&](const std::string& name, auto fun, auto settings) {
    services.children.push_back(child(name, [&node, name, fun, settings](auto&) {
      auto start = [&node, fun, settings](caf::actor_system& where) {
        return caf::actor_cast<caf::actor>(
            where.spawn(fun, settings, node.feed.get(), node.leader.get(), logger{}));
      };
      return caf::actor_cast<caf::actor>(node.system.spawn(leader_only, name, node.replica.get(),
                                                           leader_starter{start}, logger{}));
    }));
  };
  of_the_leader("recovery", novacron::recovery, recovery_config{});
  of_the_leader("drain", novacron::drain, drain_config{});
  supervisor_spec root;
  root.name = "root";
  auto below = child("services", [&node, services](auto&) {
    return caf::actor_cast<caf::actor>(node.system.spawn(supervisor, services, logger{}));
  });
  below.supervisor = true;
  root.children.push_back(below);
  add_host(root, first);
  add_host(root, second);
  return root;
}

void small_cluster::add_host(supervisor_spec& root, small_host& host) {
  auto& system = parts_->system;
  auto context = host.context;
  auto guests = child(host.name + ":guests", [&system, context](auto&) {
    supervisor_spec spec;
    spec.name = "guests";
    spec.intensity = 100;
    auto actor = system.spawn(supervisor, spec, logger{});
    context->guests.set(actor);
    return caf::actor_cast<caf::actor>(actor);
  });
  guests.supervisor = true;
  root.children.push_back(guests);
  root.children.push_back(agent_of(host));
}

child_spec small_cluster::agent_of(const small_host& host) {
  return child(host.name + ":host", [&system = parts_->system, context = host.context](auto&) {
    return caf::actor_cast<caf::actor>(system.spawn(novacron::host, context));
  });
}

std::optional<command_outcome> small_cluster::propose(command_body what, const std::string& key) {
  std::optional<command_outcome> outcome;
  auto frontend = parts_->frontend.get();
  if (!frontend)
    return outcome;
  caf::scoped_actor self{parts_->system};
  self->request(frontend, 10s, proposal{{command{std::move(what), {"someone", key, {}}}}})
      .receive([&](const outcomes& answer) { outcome = answer.each.at(0); },
               [](const caf::error&) {});
  return outcome;
}

command_outcome small_cluster::insist(const command_body& what) {
  std::optional<command_outcome> outcome;
  REQUIRE(becomes([&] {
    outcome = propose(what);
    return outcome && outcome->ok();
  }));
  return *outcome;
}

vm_id small_cluster::run_guest(const small_host& where, restart_policy policy) {
  create_vm wish;
  wish.vm = {random_uuid()};
  wish.name = "vm-" + to_string(wish.vm);
  wish.spec.image = "tick";
  wish.spec.restart = policy;
  wish.host = where.id;
  wish.operation = {random_uuid()};
  insist(wish);
  request(wish.vm, requested_state::running);
  REQUIRE(becomes([&] { return shows(wish.vm, actual_state::running); }));
  return wish.vm;
}

void small_cluster::request(vm_id vm, requested_state what) {
  insist(request_state{vm, what, 0, {random_uuid()}});
}

migration_id small_cluster::migrate(vm_id vm, const small_host& where) {
  reserve_migration wish;
  wish.migration = {random_uuid()};
  wish.vm = vm;
  wish.to = where.id;
  wish.operation = {random_uuid()};
  insist(wish);
  return wish.migration;
}

std::vector<any_record> small_cluster::records() {
  std::vector<any_record> found;
  auto replica = parts_->replica.get();
  if (!replica)
    return found;
  caf::scoped_actor self{parts_->system};
  list_request page;
  do {
    self->request(replica, 10s, page)
        .receive(
            [&](const feed_listing& answer) {
              found.insert(found.end(), answer.records.begin(), answer.records.end());
              page.from = answer.next;
            },
            [&](const caf::error&) { page.from.clear(); });
  } while (!page.from.empty());
  return found;
}

bool small_cluster::shows(vm_id vm, actual_state actual) {
  auto record = find<vm_record>(vm);
  return record && record->actual == actual;
}

bool small_cluster::shows(migration_id migration, migration_phase phase) {
  auto record = find<migration_record>(migration);
  return record && record->phase == phase;
}

std::vector<actor_status> small_cluster::actors() {
  std::vector<actor_status> all;
  caf::scoped_actor self{parts_->system};
  self->request(parts_->root, 10s, actor_tree_request{})
      .receive([&](const actor_tree& tree) { all = tree.actors; }, [](const caf::error&) {});
  return all;
}

uint32_t small_cluster::restarts(const std::string& path) {
  for (const auto& each : actors())
    if (each.path == path)
      return each.state == actor_state::running ? each.restarts : 0;
  return 0;
}

void small_cluster::end_agent(const small_host& host) {
  caf::scoped_actor self{parts_->system};
  auto agent = host.context->host.get();
  self->send(parts_->root, stop_atom::value, host.name + ":host");
  self->wait_for(agent);
}

void small_cluster::start_agent(const small_host& host) {
  caf::scoped_actor self{parts_->system};
  bool started = false;
  self->request(parts_->root, 10s,
                std::shared_ptr<const child_spec>{std::make_shared<child_spec>(agent_of(host))})
      .receive([&](const caf::actor&) { started = true; }, [](const caf::error&) {});
  REQUIRE(started);
}

void small_cluster::kill(const std::string& path) {
  auto before = restarts(path);
  caf::scoped_actor self{parts_->system};
  bool killed = false;
  self->request(parts_->root, 10s, kill_actor{{}, path})
      .receive([&](ok_atom) { killed = true; }, [](const caf::error&) {});
  REQUIRE_MESSAGE(killed, path);
  REQUIRE(becomes([&] { return restarts(path) > before; }));
}

} // namespace novacron
