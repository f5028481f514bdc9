#include "mesh_actor.hpp"

#include "messages/actors.hpp"

#include <set>
#include <string>

namespace novacron::sim {

namespace {

/// Runs `then` on the actor with what was found.
template <class Then>
auto back_on(caf::event_based_actor* self, Then then) {
  return [handle = caf::actor{self}, then](std::optional<wires::found> what) {
    caf::anon_send(handle, continuation{[then, what]() mutable { then(what); }});
  };
}

} // namespace

caf::behavior mesh_actor(caf::event_based_actor* self, wires* over, process* in) {
  using interfaces = std::set<std::string>;
  return {
      [=](caf::publish_atom, uint16_t port, const caf::strong_actor_ptr& whom, const interfaces&,
          const std::string& host, bool) {
        over->listen(*in, host, port, whom);
        return port;
      },
      [=](caf::close_atom, uint16_t port) { over->close(*in, port); },
      [=](caf::connect_atom, const std::string& host, uint16_t port) {
        auto promise
            = self->make_response_promise<caf::node_id, caf::strong_actor_ptr, interfaces>();
        over->connect(*in, host, port,
                      back_on(self, [promise](const std::optional<wires::found>& what) mutable {
                        if (what)
                          promise.deliver(what->node, what->actor, interfaces{});
                        else
                          promise.deliver(caf::make_error(caf::sec::cannot_connect_to_node));
                      }));
        return promise;
      },
      [=](caf::forward_atom, const caf::node_id& node, caf::atom_value, const caf::message& what) {
        auto promise = self->make_response_promise<caf::strong_actor_ptr>();
        over->look_up(*in, node, what.get_as<caf::atom_value>(1),
                      back_on(self, [promise](const std::optional<wires::found>& found) mutable {
                        if (found)
                          promise.deliver(found->actor);
                        else
                          promise.deliver(caf::make_error(caf::sec::request_receiver_down));
                      }));
        return promise;
      },
      [](const continuation& what) { what.run(); },
  };
}

} // namespace novacron::sim
