#include "actors/peer/door.hpp"

#include "actors/peer/mesh_errors.hpp"
#include "actors/peer/mesh_rules.hpp"
#include "actors/peer/mesh_versions.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/send.hpp>

namespace novacron {

namespace {

using namespace std::chrono_literals;

constexpr auto publish_timeout = 5s;
constexpr auto publish_again = 100ms;
constexpr unsigned most_publish_attempts = 30; // the port of the door before us may still close
constexpr auto refusal_lines = 5s;             // one line about refusals per this long
constexpr auto elsewhere_timeout = 2s;         // for what another node does over its own link
constexpr auto tree_timeout = 1500ms;

using self_pointer = door_with_clock::stateful_pointer<door_state>;

// -- refusing --------------------------------------------------------------------

/// Counts refusals, and says so now and then: a stranger must not fill the log.
caf::error refuse(self_pointer self, mesh_errc code, const std::string& why) {
  auto& state = self->state;
  ++state.refusals;
  auto now = self->clock().now();
  if (!state.refusals_said || now - *state.refusals_said >= refusal_lines) {
    state.config.log.warning("peer", "refused a request from another node: " + why,
                             {{"refusals", std::to_string(state.refusals)}});
    state.refusals = 0;
    state.refusals_said = now;
  }
  return make_error(code, why);
}

bool is_local(self_pointer self) {
  return self->current_sender() && self->current_sender()->node() == self->node();
}

caf::actor_addr sender_address(self_pointer self) {
  return caf::actor_cast<caf::actor_addr>(self->current_sender());
}

bool removed(self_pointer self, node_id node) {
  const auto& roster = self->state.config.roster;
  return roster && roster->removed(node);
}

/// The guest that sent the present message; null for strangers, and for one that
/// was removed since it came.
const guest_book::guest* sending_guest(self_pointer self) {
  if (!self->current_sender())
    return nullptr;
  const auto* guest = self->state.guests.find(sender_address(self));
  return guest && !removed(self, guest->identity.node) ? guest : nullptr;
}

/// Who sent the present message; null for strangers.
const node_identity* sender(self_pointer self) {
  if (is_local(self))
    return &self->state.self;
  const auto* guest = sending_guest(self);
  return guest ? &guest->identity : nullptr;
}

caf::error stranger(self_pointer self) {
  return refuse(self, mesh_errc::unverified, "the sender has not said hello");
}

/// Passes the message on to the actor behind `route`.
template <class Answer, class Route, class Message>
caf::result<Answer> pass_on(self_pointer self, const Route& route, const Message& what) {
  auto target = route ? route() : decltype(route()){};
  if (!target)
    return make_error(mesh_errc::not_here,
                      "node " + self->state.config.self->name + " doesn't do this; ask another");
  return self->delegate(target, what);
}

// -- hello -----------------------------------------------------------------------

caf::result<hello_challenge> challenge(self_pointer self, const hello_challenge_request& what) {
  auto& state = self->state;
  if (!self->current_sender())
    return stranger(self);
  const auto& me = *state.config.self;
  hello_proof proof{hello_side::door, what.challenge,  me.cluster,
                    me.node,          self->address(), sender_address(self)};
  auto signature = sign(me.key, proof.text());
  if (!signature)
    return refuse(self, mesh_errc::refused, signature.error().message);
  auto question = random_nonce();
  state.guests.challenged(sender_address(self), question, self->clock().now());
  return hello_challenge{question, me.certificate, std::move(*signature)};
}

caf::result<welcome> greet(self_pointer self, const hello& what) {
  auto& state = self->state;
  const auto& me = *state.config.self;
  if (!self->current_sender())
    return stranger(self);
  auto link = sender_address(self);
  auto question = state.guests.take_challenge(link, self->clock().now());
  if (!question)
    return refuse(self, mesh_errc::refused, "a hello to no challenge, or too late");
  if (what.cluster != me.cluster)
    return refuse(self, mesh_errc::refused, "a hello from another cluster");
  if (auto problem = version_objection(what.version); !problem.empty())
    return refuse(self, mesh_errc::refused, "a hello of node " + what.name + ": " + problem);
  hello_proof proof{hello_side::link, *question, me.cluster, what.node, self->address(), link};
  auto identity = check_proof(proof, what.certificate, what.signature, me.authority);
  if (!identity)
    return refuse(self, mesh_errc::refused,
                  "a hello that proves nothing: " + identity.error().message);
  if (identity->node != what.node)
    return refuse(self, mesh_errc::refused, "a hello in another node's name");
  if (removed(self, identity->node))
    return refuse(self, mesh_errc::refused,
                  "node " + what.name
                      + " was removed from the cluster: its certificate counts no "
                        "more; let the machine join as a new node");
  state.config.log.info("peer", "a node has come",
                        {{"node", what.name}, {"id", to_string(what.node)}});
  auto handle = caf::actor_cast<caf::actor>(self->current_sender());
  if (!state.guests.find(link))
    self->monitor(handle);
  if (state.config.known)
    state.config.known->add(what.node, handle.node(), identity->has(node_role::controller));
  state.guests.verified(link, {std::move(*identity), what.name, handle});
  return welcome{me.node, me.name, me.timeline, mesh_version};
}

// -- routes ----------------------------------------------------------------------

caf::result<outcomes> propose(self_pointer self, const proposal& what) {
  const auto* who = sender(self);
  if (!who)
    return stranger(self);
  const auto from_controller = who->has(node_role::controller) && !is_local(self);
  auto allowed = [&](const command& each) { return may_propose(*who, each); };
  if (!std::ranges::all_of(what.commands, allowed))
    return refuse(self, mesh_errc::forbidden, "the sender's roles don't allow its command");
  if (from_controller) // which has a frontend of its own: that one has forwarded it
    return pass_on<outcomes>(self, self->state.routes.leader, forwarded_proposal{what});
  return pass_on<outcomes>(self, self->state.routes.frontend, what);
}

template <class Answer, class Question>
caf::result<Answer> read(self_pointer self, const Question& what) {
  if (!sender(self))
    return stranger(self);
  return pass_on<Answer>(self, self->state.routes.feed, what);
}

/// Controllers ask each other's replicas, which ask nobody else.
caf::result<group_status> status(self_pointer self, const group_status_request& what) {
  const auto* who = sender(self);
  if (!who)
    return stranger(self);
  if (who->has(node_role::controller) && !is_local(self))
    return pass_on<group_status>(self, self->state.routes.replica, what);
  return pass_on<group_status>(self, self->state.routes.frontend, what);
}

caf::result<snapshot_chunk> snapshot(self_pointer self, const snapshot_chunk_request& what) {
  const auto* who = sender(self);
  if (!who)
    return stranger(self);
  if (!may_replicate(*who))
    return refuse(self, mesh_errc::forbidden, "only controllers copy the state");
  return pass_on<snapshot_chunk>(self, self->state.routes.replica, what);
}

void take_replica_message(self_pointer self, const replica_message& what) {
  auto& state = self->state;
  const auto* guest = sending_guest(self);
  if (!guest || !may_replicate(guest->identity)) {
    refuse(self, mesh_errc::forbidden, "a replica's message from no controller");
    return;
  }
  if (state.routes.receive)
    state.routes.receive(guest->identity.node, what.bytes);
  if (what.number % replica_message_credit == 0)
    self->send<caf::message_priority::high>(caf::actor_cast<link_actor>(guest->link),
                                            replica_message_taken{what.number});
}

template <class Answer, class Question>
caf::result<Answer> migrate(self_pointer self, const Question& what) {
  const auto* who = sender(self);
  if (!who)
    return stranger(self);
  if (!may_migrate(*who))
    return refuse(self, mesh_errc::forbidden, "only hosts migrate guests");
  return pass_on<Answer>(self, self->state.routes.host, what);
}

void progress(self_pointer self, const migration_progress& what) {
  const auto* who = sender(self);
  const auto& route = self->state.routes.feed;
  if (!who || !may_migrate(*who) || !route)
    return;
  if (auto feed = route())
    self->send(feed, what);
}

/// Asks a node that talks to us over its own link: nodes talk to controllers, so
/// this is how a controller reaches them. What another node asks goes no further.
template <class Answer, class Question>
caf::result<Answer> ask_elsewhere(self_pointer self, const Question& what) {
  const auto* guest = self->state.guests.find(what.node);
  if (!guest) {
    const auto& route = self->state.routes.controller;
    if (auto controller = route && is_local(self) ? route() : controller_actor{})
      return self->delegate(controller, what);
    return make_error(mesh_errc::unconnected,
                      "node " + to_string(what.node) + " has no link to this one");
  }
  auto promise = self->make_response_promise<Answer>();
  self->request(caf::actor_cast<link_actor>(guest->link), elsewhere_timeout, what)
      .then([promise](const Answer& answer) mutable { promise.deliver(answer); },
            [promise](caf::error& why) mutable { promise.deliver(std::move(why)); });
  return promise;
}

caf::result<ok_atom> kill(self_pointer self, const kill_actor& what) {
  const auto* who = sender(self);
  if (!who)
    return stranger(self);
  if (!self->state.config.chaos || !may_kill(*who))
    return refuse(self, mesh_errc::forbidden,
                  "actors are killed only where `chaos` is allowed, by gateways and controllers");
  if (what.node != self->state.self.node)
    return ask_elsewhere<ok_atom>(self, what);
  return pass_on<ok_atom>(self, self->state.routes.supervisor, what);
}

caf::result<actor_tree> show_tree(self_pointer self, const actor_tree_request& what) {
  const auto* who = sender(self);
  if (!who)
    return stranger(self);
  if (!may_look(*who))
    return refuse(self, mesh_errc::forbidden, "actors are shown to gateways and controllers only");
  if (!what.node.nil() && what.node != self->state.self.node)
    return ask_elsewhere<actor_tree>(self, what);
  const auto& route = self->state.routes.supervisor;
  auto supervisor = route ? route() : supervisor_actor{};
  if (!supervisor)
    return make_error(mesh_errc::not_here, "nobody supervises actors here");
  auto promise = self->make_response_promise<actor_tree>();
  self->request(supervisor, tree_timeout, what)
      .then(
          [self, promise](actor_tree tree) mutable {
            tree.node = self->state.self.node;
            tree.name = self->state.config.self->name;
            tree.links = self->state.guests.nodes();
            promise.deliver(std::move(tree));
          },
          [promise](caf::error& why) mutable { promise.deliver(std::move(why)); });
  return promise;
}

/// A link has ended. Another one of the same node may stand.
void say_goodbye(self_pointer self, const caf::actor_addr& link) {
  auto& state = self->state;
  const auto* who = state.guests.find(link);
  auto node = who ? who->identity.node : node_id{};
  state.guests.forget(link);
  if (state.config.known && !node.nil() && !state.guests.find(node))
    state.config.known->remove(node);
}

// -- being there -----------------------------------------------------------------

void publish(self_pointer self) {
  const auto& where = *self->state.config.listen;
  auto mesh = self->state.config.ports.connector;
  if (!mesh)
    mesh = self->system().openssl_manager().actor_handle();
  if (where.port != 0)
    // The port of the door before us, if any. Anonymous: its refusal, when
    // nothing is open there, would come back as an error and end this actor.
    caf::anon_send(mesh, caf::close_atom::value, where.port);
  self->request(mesh, publish_timeout, caf::publish_atom::value, where.port,
                caf::actor_cast<caf::strong_actor_ptr>(self),
                self->system().message_types(caf::detail::type_list<door_actor>{}), where.host,
                true)
      .then(
          [self](uint16_t port) {
            if (self->state.config.published)
              self->state.config.published(port);
          },
          [self](const caf::error& why) {
            auto& state = self->state;
            if (++state.publish_attempts < most_publish_attempts) {
              self->delayed_send(self, publish_again, tick_atom::value);
              return;
            }
            auto text = "cannot open " + to_string(*state.config.listen)
                        + " for other nodes: " + self->system().render(why)
                        + "; end who listens there, or choose another port";
            state.config.log.error("peer", text);
            self->quit(caf::make_error(caf::sec::runtime_error, text));
          });
}

} // namespace

door_with_clock::behavior_type door(self_pointer self, door_config config, door_routes routes) {
  auto& state = self->state;
  state.config = std::move(config);
  state.routes = std::move(routes);
  auto own = identity_of(state.config.self->certificate);
  if (!own) {
    self->quit(caf::make_error(caf::sec::runtime_error, own.error().message));
    return door_with_clock::behavior_type::make_empty_behavior();
  }
  state.self = std::move(*own);
  self->set_down_handler([self](const caf::down_msg& down) { say_goodbye(self, down.source); });
  // Whoever started us needn't have waited for the end of the door before us: so it is
  // us who take its name, and it leaves it. (A name that is there is not put again.)
  auto& registry = self->system().registry();
  registry.erase(door_name);
  registry.put(door_name, caf::actor_cast<caf::strong_actor_ptr>(self));
  if (state.config.listen)
    publish(self);
  return {
      [self](const list_request& x) { return read<feed_listing>(self, x); },
      [self](const pull_request& x) { return read<feed_changes>(self, x); },
      [self](const migration_progress& x) { progress(self, x); },
      [self](const hello_challenge_request& x) { return challenge(self, x); },
      [self](const hello& x) { return greet(self, x); },
      [self](const proposal& x) { return propose(self, x); },
      [self](const group_status_request& x) { return status(self, x); },
      [self](const snapshot_chunk_request& x) { return snapshot(self, x); },
      [self](const replica_message& x) { take_replica_message(self, x); },
      [self](const prepare_migration& x) { return migrate<migration_prepared>(self, x); },
      [self](const migration_performed& x) { return migrate<ok_atom>(self, x); },
      [self](const kill_actor& x) { return kill(self, x); },
      [self](const actor_tree_request& x) { return show_tree(self, x); },
      [self](tick_atom) { publish(self); },
  };
}

} // namespace novacron
