#include "runtime/node/node_tree.hpp"

#include "actors/backup/backups.hpp"
#include "actors/drain/drain.hpp"
#include "actors/feed/feed.hpp"
#include "actors/feed/feed_follower.hpp"
#include "actors/frontend/frontend.hpp"
#include "actors/host/host.hpp"
#include "actors/leader_only/leader_only.hpp"
#include "actors/peer/any_controller.hpp"
#include "actors/peer/controllers.hpp"
#include "actors/peer/door.hpp"
#include "actors/peer/link.hpp"
#include "actors/peer/mesh_config.hpp"
#include "actors/peer/mesh_transport.hpp"
#include "actors/peer/peers.hpp"
#include "actors/peer/roster.hpp"
#include "actors/recovery/recovery.hpp"
#include "actors/replica/replica_keeper.hpp"
#include "actors/scale_out/scale_out.hpp"
#include "actors/scheduler/scheduler.hpp"
#include "actors/stonith/stonith.hpp"
#include "actors/supervisor/counted_mailbox.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/view/view.hpp"

#include <caf/all.hpp>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto scale_out_timeout = 30s;

/// An actor that blocks: on a thread of its own, unless this is a simulation.
template <class F, class... Ts>
auto spawn_blocking(caf::actor_system& system, const node_parts& parts, F fun, Ts&&... xs) {
  return parts.own_threads ? spawn_counted<caf::detached>(system, fun, std::forward<Ts>(xs)...)
                           : spawn_counted(system, fun, std::forward<Ts>(xs)...);
}

/// One node's tree, while it is put together: who is spawned how. The start
/// functions outlive this; they keep what they need by value.
class tree {
public:
  tree(caf::actor_system& system, const node_start& start, node_parts& parts)
      : system_{system}, start_{start}, parts_{parts} {
    // nop
  }

  supervisor_spec root() {
    supervisor_spec spec;
    spec.name = "node";
    spec.children.push_back(below("services", services()));
    if (parts_.host) {
      spec.children.push_back(guests());
      spec.children.push_back(host());
    }
    return spec;
  }

private:
  using starter = std::function<caf::actor(caf::local_actor&)>;

  static child_spec child(std::string name, starter start) {
    child_spec spec;
    spec.name = std::move(name);
    spec.start = std::move(start);
    return spec;
  }

  child_spec below(std::string name, supervisor_spec spec) {
    auto made = child(std::move(name), [&system = system_, spec, log = start_.log](auto&) {
      return caf::actor_cast<caf::actor>(spawn_counted(system, supervisor, spec, log));
    });
    made.supervisor = true;
    made.grace = 6s;
    return made;
  }

  supervisor_spec services() {
    supervisor_spec spec;
    spec.name = "services";
    spec.strategy = restart_strategy::rest_for_one;
    spec.intensity = 20;
    if (start_.config.has(node_role::controller))
      add_controller(spec);
    else
      spec.children.push_back(controller());
    spec.children.push_back(peers());
    spec.children.push_back(door());
    if (parts_.view)
      spec.children.push_back(view());
    if (parts_.gateway)
      spec.children.push_back(gateway());
    spec.children.push_back(roster());
    if (start_.config.has(node_role::controller)) { // last: their ends concern nobody else
      spec.children.push_back(controllers());
      spec.children.push_back(of_the_leader("recovery", novacron::recovery, recovery_config{}));
      drain_config moves;
      moves.ids = parts_.ids;
      spec.children.push_back(of_the_leader("drain", novacron::drain, moves));
      if (const auto& fence = start_.config.controller.fence) {
        stonith_setup setup;
        setup.when.after = fence->after;
        setup.ids = parts_.ids;
        setup.run = make_command_runner(fence->command, fence->timeout);
        spec.children.push_back(of_the_leader("stonith", novacron::stonith, setup));
      }
      if (start_.config.controller.backup)
        spec.children.push_back(backups(*start_.config.controller.backup));
    }
    if (start_.config.gateway && start_.config.gateway->scale_out)
      spec.children.push_back(scale_out(*start_.config.gateway->scale_out));
    return spec;
  }

  void add_controller(supervisor_spec& spec) {
    auto& system = system_;
    auto& parts = parts_;
    replica_config config;
    config.transport = std::make_shared<mesh_transport>(system, parts_.links, parts_.snapshots);
    auto open = [how = parts_.open_replica, config] { return how(config); };
    replica_place place{start_.config.id, parts_.port, parts_.links, parts_.snapshots_at};
    auto log = start_.log;
    spec.children.push_back(child("replica", [&system, &parts, open, log, place](auto&) {
      auto actor = spawn_blocking(system, parts, replica_keeper, replica_opener{open}, log, place);
      parts.replica.set(actor);
      return caf::actor_cast<caf::actor>(actor);
    }));
    spec.children.push_back(child("feed", [&system, &parts](auto&) {
      auto actor = spawn_counted(system, feed, feed_config{}, parts.replica.get());
      parts.feed.set(actor);
      if (parts.host)
        parts.host->feed.set(actor);
      return caf::actor_cast<caf::actor>(actor);
    }));
    spec.children.push_back(child("scheduler", [&system, &parts](auto&) {
      auto actor = spawn_counted(system, scheduler, scheduler_config{}, parts.feed.get());
      parts.scheduler.set(actor);
      return caf::actor_cast<caf::actor>(actor);
    }));
    spec.children.push_back(child("frontend", [&system, &parts](auto&) {
      auto actor = spawn_counted(system, frontend, frontend_config{}, parts.replica.get(),
                                 parts.scheduler.get(), parts.links);
      parts.frontend.set(actor);
      parts.leader.set(actor);
      if (parts.host)
        parts.host->frontend.set(actor);
      return caf::actor_cast<caf::actor>(actor);
    }));
  }

  link_config link_pattern() {
    link_config config;
    config.self = parts_.identity;
    config.roster = parts_.roster;
    config.chaos = start_.config.chaos;
    config.supervisor = [&parts = parts_] { return parts.root.get(); };
    config.log = start_.log;
    config.chance = parts_.chance;
    config.ports = parts_.ports;
    return config;
  }

  /// Where the feed is another node's, its readers don't all list at once.
  double own_phase() const {
    return start_.config.has(node_role::controller) ? 0.0 : phase_of(start_.config.id);
  }

  std::vector<address> dialled() {
    const auto& mesh = start_.config.mesh;
    return controllers_to_dial(mesh.controllers, mesh.listen);
  }

  /// The links that replicas and frontends speak over.
  child_spec controllers() {
    auto config = link_pattern();
    config.known = parts_.known;
    config.standing = parts_.links;
    auto& system = system_;
    return child("controllers", [&system, config, mesh = start_.config.mesh](auto&) {
      return caf::actor_cast<caf::actor>(
          spawn_counted(system, novacron::controllers, config, mesh.controllers, mesh.listen));
    });
  }

  child_spec roster() {
    roster_config config;
    config.self = parts_.own_record;
    config.self.mesh_address = to_string(start_.config.mesh.listen);
    config.book = parts_.roster;
    auto& parts = parts_;
    config.feed = [&parts] { return parts.feed.get(); };
    config.frontend = [&parts] { return parts.frontend.get(); };
    if (start_.config.has(node_role::controller)) {
      config.replica = [&parts] { return parts.replica.get(); };
      config.links = parts_.links;
    } else { // its pulls are the host's, or else the view's, too
      config.filter = {parts_.host ? start_.config.id : node_id{}};
      config.phase = own_phase();
    }
    config.log = start_.log;
    auto& system = system_;
    return child("roster", [&system, &parts, config](auto&) {
      return caf::actor_cast<caf::actor>(spawn_blocking(system, parts, novacron::roster, config));
    });
  }

  /// An actor that works where the leader is; its function takes `config`, then the feed,
  /// the frontend and the log.
  template <class Fun, class Config>
  child_spec of_the_leader(std::string name, Fun fun, Config config) {
    auto& system = system_;
    auto& parts = parts_;
    auto log = start_.log;
    return child(name, [&system, &parts, log, name, fun, config](auto&) {
      auto start = [&parts, log, fun, config](caf::actor_system& where) {
        return caf::actor_cast<caf::actor>(
            spawn_counted(where, fun, config, parts.feed.get(), parts.leader.get(), log));
      };
      return caf::actor_cast<caf::actor>(spawn_counted(
          system, leader_only, name, parts.replica.get(), leader_starter{start}, log));
    });
  }

  child_spec backups(const backup_section& section) {
    backups_config config;
    config.folder = section.folder / to_string(start_.config.id);
    config.every = section.every;
    config.keep = section.keep;
    config.now = [] {
      return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    };
    config.log = start_.log;
    return child("backups", [&system = system_, &parts = parts_, config](auto&) {
      auto actor = spawn_blocking(system, parts, novacron::backups, config, parts.replica.get());
      parts.backups.set(actor);
      return caf::actor_cast<caf::actor>(actor);
    });
  }

  /// Nodes without a log of their own follow, and propose to, a controller.
  child_spec controller() {
    auto config = link_pattern();
    auto all = dialled();
    auto& system = system_;
    auto& parts = parts_;
    return child("controller", [&system, &parts, config, all](auto&) {
      auto actor = spawn_counted(system, any_controller, config, all);
      parts.controller.set(actor);
      parts.feed.set(actor);
      parts.frontend.set(actor);
      if (parts.host) {
        parts.host->feed.set(actor);
        parts.host->frontend.set(actor);
      }
      return caf::actor_cast<caf::actor>(actor);
    });
  }

  child_spec peers() {
    auto config = link_pattern();
    config.expected_role = node_role::host;
    config.known = parts_.known;
    config.temporary = true;
    // All nodes connect to the controllers; one that dialled back would collide.
    config.dial = !start_.config.has(node_role::controller);
    auto& system = system_;
    auto& parts = parts_;
    return child("peers", [&system, &parts, config](auto&) {
      auto actor = spawn_counted(system, novacron::peers, config);
      parts.peers.set(actor);
      if (parts.host)
        parts.host->peers.set(actor);
      return caf::actor_cast<caf::actor>(actor);
    });
  }

  child_spec door() {
    door_config config;
    config.self = parts_.identity;
    config.roster = parts_.roster;
    config.known = parts_.known;
    config.listen = address{start_.config.mesh.listen.host, start_.config.mesh.listen.port};
    config.chaos = start_.config.chaos;
    config.log = start_.log;
    config.ports = parts_.ports;
    auto& parts = parts_;
    auto controller = start_.config.has(node_role::controller);
    door_routes routes;
    routes.frontend
        = [&parts, controller] { return controller ? parts.frontend.get() : frontend_actor{}; };
    routes.leader = [&parts] { return parts.leader.get(); };
    routes.replica = [&parts] { return parts.replica.get(); };
    routes.receive = [port = parts.port](node_id from, std::span<const std::byte> message) {
      port->receive(from, message);
    };
    routes.feed
        = [&parts, controller] { return controller ? parts.feed.get() : feed_source_actor{}; };
    routes.host = [&parts] { return parts.host ? parts.host->host.get() : host_actor{}; };
    routes.supervisor = [&parts] { return parts.root.get(); };
    routes.controller = [&parts] { return parts.controller.get(); };
    auto& system = system_;
    return child("door", [&system, &parts, config, routes](auto&) {
      auto actor = spawn_counted(system, novacron::door, config, routes);
      parts.door.set(actor);
      return caf::actor_cast<caf::actor>(actor);
    });
  }

  child_spec view() {
    return child("view", [&system = system_, &parts = parts_, phase = own_phase()](auto&) {
      return caf::actor_cast<caf::actor>(
          spawn_counted(system, novacron::view, parts.view, parts.feed.get(), phase));
    });
  }

  child_spec gateway() {
    return child("gateway", [&system = system_, &parts = parts_](auto&) {
      auto chaos = [&system, &parts](kill_actor what, auto done) {
        system.spawn([what, done, door = parts.door.get()](caf::event_based_actor* self) {
          self->request(door, 5s, what)
              .then(
                  [done](caf::ok_atom) { done(true, {}); },
                  [done, self](const caf::error& why) { done(false, self->system().render(why)); });
        });
      };
      auto look = [&system, &parts](actor_tree_request what, auto done) {
        system.spawn([what, done, door = parts.door.get()](caf::event_based_actor* self) {
          self->request(door, 3s, what)
              .then([done](const actor_tree& answer) { done(answer); },
                    [done, self](const caf::error& why) {
                      auto code = why == caf::sec::invalid_argument ? std::errc::invalid_argument
                                                                    : std::errc::host_unreachable;
                      auto text = why == caf::sec::request_timeout ? "it doesn't answer"
                                                                   : self->system().render(why);
                      done(failure{std::make_error_code(code), text});
                    });
        });
      };
      return caf::actor_cast<caf::actor>(spawn_counted(system, novacron::gateway, *parts.gateway,
                                                       parts.view, parts.frontend.get(),
                                                       chaos_function{chaos}, look_function{look}));
    });
  }

  child_spec scale_out(const scale_out_section& section) {
    scale_out_setup setup;
    setup.when.after = section.after;
    setup.when.pause = section.pause;
    setup.run = make_command_runner(section.command, scale_out_timeout);
    setup.node = start_.config.name;
    setup.shed = parts_.gateway->shed;
    return child("scale_out", [&system = system_, setup, log = start_.log](auto&) {
      return caf::actor_cast<caf::actor>(spawn_counted(system, novacron::scale_out, setup, log));
    });
  }

  child_spec guests() {
    supervisor_spec spec;
    spec.name = "guests";
    spec.intensity = 100;
    auto made
        = child("guests", [&system = system_, &parts = parts_, spec, log = start_.log](auto&) {
            auto actor = spawn_counted(system, supervisor, spec, log);
            parts.host->guests.set(actor);
            return caf::actor_cast<caf::actor>(actor);
          });
    made.supervisor = true;
    return made;
  }

  child_spec host() {
    return child("host", [&system = system_, &parts = parts_](auto&) {
      return caf::actor_cast<caf::actor>(spawn_counted(system, novacron::host, parts.host));
    });
  }

  caf::actor_system& system_;
  const node_start& start_;
  node_parts& parts_;
};

} // namespace

supervisor_spec node_tree(caf::actor_system& system, const node_start& start, node_parts& parts) {
  return tree{system, start, parts}.root();
}

} // namespace novacron
