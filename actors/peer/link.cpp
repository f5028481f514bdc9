#include "actors/peer/link.hpp"

#include "actors/peer/mesh_errors.hpp"
#include "actors/peer/mesh_rules.hpp"
#include "actors/peer/mesh_versions.hpp"

#include <caf/actor_cast.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto tick_interval = 25ms;
constexpr auto connect_timeout = 5s;
constexpr auto hello_timeout = 3s;
constexpr size_t most_open_requests = 1'024;

using self_pointer = link_actor::stateful_pointer<link_state>;

// How long an answer may take; longer than whoever asks waits, so that it is
// the asker who gives up.
constexpr auto patience(const list_request&) {
  return 10s;
}
constexpr auto patience(const pull_request&) {
  return 12s;
}
constexpr auto patience(const proposal&) {
  return 8s;
}
constexpr auto patience(const group_status_request&) {
  return 5s;
}
constexpr auto patience(const snapshot_chunk_request&) {
  return 8s;
}
constexpr auto patience(const prepare_migration&) {
  return 100s;
}
constexpr auto patience(const migration_performed&) {
  return 30s;
}
constexpr auto patience(const kill_actor&) {
  return 5s;
}
constexpr auto patience(const actor_tree_request&) {
  return 3s;
}
constexpr auto tree_timeout = 1500ms;

/// How the other end is called as long as nobody knows better.
std::string name_of(const link_config& config) {
  return config.remote.host.empty() ? "node " + to_string(config.expected_node)
                                    : to_string(config.remote);
}

// -- down ------------------------------------------------------------------------

void go_down(self_pointer self, const std::string& why) {
  auto& state = self->state;
  ++state.attempt;
  state.trying = false;
  for (const auto& each : {state.candidate, state.door})
    if (each) // it may live on, and refuse us for ever
      self->demonitor(each.address());
  state.candidate = door_actor{};
  auto stood = static_cast<bool>(state.door);
  if (stood || why != state.last_problem)
    state.config.log.warning("peer", "no link to " + name_of(state.config) + ": " + why);
  state.last_problem = why;
  if (stood)
    state.wait.succeeded();
  state.door = door_actor{};
  if (state.config.standing)
    state.config.standing->remove(self->address());
  auto chance = state.config.chance ? state.config.chance() : 0.0;
  state.not_before = self->clock().now() + state.wait.next(chance);
  auto open = std::exchange(state.open, {});
  for (auto& [number, fail] : open)
    fail(make_error(mesh_errc::lost, "the link to " + name_of(state.config) + " broke: " + why));
  if (stood && state.config.temporary)
    self->quit();
}

/// Handles an answer, of types `Answer`, if it is to the present attempt.
template <class... Answer, class Handle>
auto if_present(self_pointer self, Handle handle) {
  return [self, handle, attempt = self->state.attempt](const Answer&... what) {
    if (self->state.attempt == attempt)
      handle(what...);
  };
}

auto attempt_failed(self_pointer self, const std::string& where) {
  return if_present<caf::error>(self, [self, where](const caf::error& why) {
    go_down(self, where + ": " + self->system().render(why));
  });
}

// -- hello -----------------------------------------------------------------------

/// What speaks against the door's owner; empty when nothing does.
std::string objection(const link_config& config, const node_identity& who) {
  if (!config.expected_node.nil() && who.node != config.expected_node)
    return "it is node " + to_string(who.node) + ", not " + to_string(config.expected_node);
  if (config.roster && config.roster->removed(who.node))
    return "node " + to_string(who.node) + " was removed from the cluster";
  if (config.expected_role && !who.has(*config.expected_role))
    return "node " + to_string(who.node) + " is no " + to_string(*config.expected_role);
  return {};
}

void welcomed(self_pointer self, const node_identity& who, const welcome& what) {
  auto& state = self->state;
  if (what.node != who.node) {
    go_down(self, "its welcome is not that of the node we greeted");
    return;
  }
  if (auto problem = version_objection(what.version); !problem.empty()) {
    go_down(self, problem);
    return;
  }
  state.trying = false;
  state.wait.succeeded();
  state.last_problem.clear();
  state.remote = who;
  state.door = std::exchange(state.candidate, door_actor{});
  if (state.config.standing)
    state.config.standing->add(who.node, link_actor{self}, state.door);
  state.config.log.info("peer", "a link to " + name_of(state.config) + " stands",
                        {{"node", what.name}});
}

void answer_challenge(self_pointer self, const nonce& ours, const hello_challenge& theirs) {
  auto& state = self->state;
  const auto& me = *state.config.self;
  auto door = state.candidate.address();
  auto who = check_proof({hello_side::door, ours, me.cluster, {}, door, self->address()},
                         theirs.certificate, theirs.signature, me.authority);
  if (!who) {
    go_down(self, "it proves nothing: " + who.error().message);
    return;
  }
  if (auto problem = objection(state.config, *who); !problem.empty()) {
    go_down(self, problem);
    return;
  }
  hello_proof proof{hello_side::link, theirs.challenge, me.cluster, me.node, door, self->address()};
  auto signature = sign(me.key, proof.text());
  if (!signature) {
    go_down(self, signature.error().message);
    return;
  }
  hello mine{me.node,      me.name,        me.cluster,           me.timeline,
             mesh_version, me.certificate, std::move(*signature)};
  self->request(state.candidate, hello_timeout, mine)
      .then(if_present<welcome>(self,
                                [self, who = *who](const welcome& x) { welcomed(self, who, x); }),
            attempt_failed(self, "it refused our hello"));
}

void introduce(self_pointer self, const caf::strong_actor_ptr& door) {
  if (!door) {
    go_down(self, "nothing is published there");
    return;
  }
  self->state.candidate = caf::actor_cast<door_actor>(door);
  self->monitor(self->state.candidate);
  auto ours = random_nonce();
  self->request(self->state.candidate, hello_timeout, hello_challenge_request{ours})
      .then(if_present<hello_challenge>(
                self, [self, ours](const hello_challenge& x) { answer_challenge(self, ours, x); }),
            attempt_failed(self, "it didn't answer our challenge"));
}

/// Makes a connection, and asks for what is published there.
void dial(self_pointer self) {
  auto& state = self->state;
  auto connector = state.config.ports.connector;
  if (!connector)
    connector = self->system().openssl_manager().actor_handle();
  self->request(connector, connect_timeout, caf::connect_atom::value, state.config.remote.host,
                state.config.remote.port)
      .then(if_present<caf::node_id, caf::strong_actor_ptr, std::set<std::string>>(
                self, [self](const caf::node_id&, const caf::strong_actor_ptr& found,
                             const std::set<std::string>&) { introduce(self, found); }),
            attempt_failed(self, "cannot connect"));
}

/// Asks for the door over the connection that stands; see `known_nodes`.
void look_up(self_pointer self, const caf::node_id& connected_as) {
  auto broker = self->state.config.ports.lookup;
  if (!broker)
    broker = self->system().middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  self->request(broker, connect_timeout, caf::forward_atom::value, connected_as,
                caf::atom("ConfigServ"), caf::make_message(caf::get_atom::value, door_name))
      .then(if_present<caf::strong_actor_ptr>(
                self, [self](const caf::strong_actor_ptr& found) { introduce(self, found); }),
            if_present<caf::error>(self, [self, connected_as](const caf::error& why) {
              const auto& config = self->state.config;
              if (why != caf::sec::request_timeout) // that it is silent, its heartbeats tell
                config.known->disconnected(config.expected_node, connected_as);
              go_down(self, "it has no door: " + self->system().render(why));
            }));
}

void connect(self_pointer self) {
  auto& state = self->state;
  auto connected_as
      = state.config.known ? state.config.known->find(state.config.expected_node) : std::nullopt;
  if (!connected_as && !state.config.dial) { // looked at again with the next tick
    state.last_problem = "it has not connected to this node";
    return;
  }
  state.trying = true;
  ++state.attempt;
  if (connected_as)
    look_up(self, *connected_as);
  else
    dial(self);
}

/// Whoever was good when we greeted may have been removed since.
void leave_if_removed(self_pointer self) {
  if (auto problem = objection(self->state.config, self->state.remote); !problem.empty())
    go_down(self, problem);
}

// -- requests --------------------------------------------------------------------

/// A door that doesn't know us has restarted, or lost sight of us: start over.
void request_failed(self_pointer self, const caf::error& why) {
  if (is(why, mesh_errc::unverified) && self->state.door)
    go_down(self, "the door doesn't know us any more");
}

template <class Answer, class Question>
caf::result<Answer> pass_on(self_pointer self, const Question& what) {
  auto& state = self->state;
  if (!self->current_sender() || self->current_sender()->node() != self->node())
    return make_error(mesh_errc::forbidden, "a link serves its own node only");
  if (!state.door)
    return make_error(mesh_errc::unconnected,
                      "there is no link to " + name_of(state.config) + ": "
                          + (state.last_problem.empty() ? "not yet" : state.last_problem));
  if (state.open.size() >= most_open_requests)
    return make_error(mesh_errc::overloaded,
                      "too many requests are on the way to " + name_of(state.config));
  auto promise = self->make_response_promise<Answer>();
  auto number = ++state.last_request;
  state.open.emplace(number, [promise](const caf::error& why) mutable { promise.deliver(why); });
  self->request(state.door, patience(what), what)
      .then(
          [self, number, promise](const Answer& answer) mutable {
            if (self->state.open.erase(number) > 0)
              promise.deliver(answer);
          },
          [self, number, promise](const caf::error& why) mutable {
            if (self->state.open.erase(number) > 0)
              promise.deliver(why);
            request_failed(self, why);
          });
  return promise;
}

/// From our own node to the other one; or from the other one's door to us.
caf::result<ok_atom> kill(self_pointer self, const kill_actor& what) {
  auto& state = self->state;
  if (what.node != state.config.self->node)
    return pass_on<ok_atom>(self, what);
  auto sender = caf::actor_cast<caf::actor_addr>(self->current_sender());
  if (!state.config.chaos || !state.door || sender != state.door.address())
    return make_error(mesh_errc::forbidden,
                      "`chaos` is not allowed on node " + state.config.self->name);
  auto supervisor = state.config.supervisor ? state.config.supervisor() : supervisor_actor{};
  if (!supervisor)
    return make_error(mesh_errc::not_here, "nobody supervises actors here");
  return self->delegate(supervisor, what);
}

/// The same for the tree of actors.
caf::result<actor_tree> show_tree(self_pointer self, const actor_tree_request& what) {
  auto& state = self->state;
  if (what.node != state.config.self->node)
    return pass_on<actor_tree>(self, what);
  auto sender = caf::actor_cast<caf::actor_addr>(self->current_sender());
  if (!state.door || sender != state.door.address() || !may_look(state.remote))
    return make_error(mesh_errc::forbidden, "actors are shown to the door that we greeted only");
  auto supervisor = state.config.supervisor ? state.config.supervisor() : supervisor_actor{};
  if (!supervisor)
    return make_error(mesh_errc::not_here, "nobody supervises actors here");
  auto promise = self->make_response_promise<actor_tree>();
  self->request(supervisor, tree_timeout, what)
      .then(
          [self, promise](actor_tree tree) mutable {
            tree.node = self->state.config.self->node;
            tree.name = self->state.config.self->name;
            promise.deliver(std::move(tree));
          },
          [promise](caf::error& why) mutable { promise.deliver(std::move(why)); });
  return promise;
}

} // namespace

link_state::~link_state() {
  for (auto& [number, fail] : open)
    fail(make_error(mesh_errc::lost, "the link to " + name_of(config) + " ended"));
}

link_actor::behavior_type link(self_pointer self, link_config config) {
  self->state.config = std::move(config);
  self->set_down_handler([self](const caf::down_msg& down) {
    auto& state = self->state;
    if ((state.door && state.door.address() == down.source)
        || (state.candidate && state.candidate.address() == down.source))
      go_down(self, "its door is gone");
  });
  if (auto standing = self->state.config.standing)
    self->attach_functor(
        [standing, address = self->address()](const caf::error&) { standing->remove(address); });
  self->send(self, tick_atom::value);
  return {
      [self](const list_request& x) { return pass_on<feed_listing>(self, x); },
      [self](const pull_request& x) { return pass_on<feed_changes>(self, x); },
      [self](const migration_progress& x) {
        if (self->state.door)
          self->send(self->state.door, x);
      },
      [self](const proposal& x) { return pass_on<outcomes>(self, x); },
      [self](const group_status_request& x) { return pass_on<group_status>(self, x); },
      [self](const snapshot_chunk_request& x) { return pass_on<snapshot_chunk>(self, x); },
      [self](const replica_message_taken& x) {
        auto from = caf::actor_cast<caf::actor_addr>(self->current_sender());
        auto& state = self->state;
        if (state.config.standing && state.door && state.door.address() == from)
          state.config.standing->taken(self->address(), x.number);
      },
      [self](const prepare_migration& x) { return pass_on<migration_prepared>(self, x); },
      [self](const migration_performed& x) { return pass_on<ok_atom>(self, x); },
      [self](const kill_actor& x) { return kill(self, x); },
      [self](const actor_tree_request& x) { return show_tree(self, x); },
      [self](tick_atom) {
        self->delayed_send(self, tick_interval, tick_atom::value);
        auto& state = self->state;
        if (state.door)
          leave_if_removed(self);
        else if (!state.trying && self->clock().now() >= state.not_before)
          connect(self);
      },
  };
}

} // namespace novacron
