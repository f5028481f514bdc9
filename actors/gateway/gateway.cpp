#include "actors/gateway/gateway.hpp"

#include "actors/completion.hpp"
#include "actors/gateway/api.hpp"
#include "actors/gateway/errors.hpp"
#include "actors/gateway/http/edge.hpp"
#include "actors/gateway/http/ports.hpp"
#include "actors/peer/mesh_errors.hpp"

namespace novacron {

namespace {

using self_pointer = gateway_actor::stateful_pointer<gateway_state>;

/// Runs `fn` on the actor, or drops it when the actor is gone.
void run_on(const caf::actor_addr& address, std::function<void()> fn) {
  if (auto strong = caf::actor_cast<gateway_actor>(address))
    caf::anon_send(strong, continuation{std::move(fn)});
}

/// It reached no controller.
outcomes nobody_took(size_t commands) {
  command_outcome each;
  each.error = command_errc::not_leader;
  each.detail = "no controller took it, so nothing was done; come back later";
  return {std::vector<command_outcome>(commands, each)};
}

api::backend backend_of(self_pointer self, const gateway_config& config, frontend_actor frontend,
                        chaos_function chaos, look_function look) {
  api::backend way;
  way.self = config.node;
  auto address = self->address();
  way.propose = [self, address, frontend, patience = config.limits.proposal_time](
                    proposal wish, std::function<void(std::optional<outcomes>)> done) {
    completion<outcomes> box{std::move(done)};
    run_on(address, [self, frontend, patience, wish = std::move(wish), box] {
      self->request(frontend, patience, wish)
          .then([box](const outcomes& answer) { box.complete(answer); },
                [box, count = wish.commands.size()](const caf::error& why) {
                  if (has_done_nothing(why))
                    box.complete(nobody_took(count));
                  // else dropped: nobody said what became of it
                });
    });
  };
  way.status
      = [self, address, frontend, patience = config.limits.status_time](
            group_status_request what, std::function<void(std::optional<group_status>)> done) {
          completion<group_status> box{std::move(done)};
          run_on(address, [self, frontend, patience, what, box] {
            self->request(frontend, patience, what)
                .then([box](const group_status& answer) { box.complete(answer); },
                      [box](const caf::error&) { /* dropped: nobody says */ });
          });
        };
  way.joins = config.joins;
  if (config.chaos && chaos)
    way.kill = [address, chaos](kill_actor whom, std::function<void(bool, std::string)> done) {
      completion<std::pair<bool, std::string>> box{[done = std::move(done)](const auto& answer) {
        done(answer && answer->first,
             answer ? answer->second : std::string{"the gateway ended before it was answered"});
      }};
      run_on(address, [chaos, whom = std::move(whom), box] {
        chaos(whom, [box](bool ok, std::string why) { box.complete({ok, std::move(why)}); });
      });
    };
  if (look)
    way.look
        = [address, look](actor_tree_request what, std::function<void(result<actor_tree>)> done) {
            completion<result<actor_tree>> box{
                [done = std::move(done)](std::optional<result<actor_tree>> answer) {
                  done(answer ? std::move(*answer)
                              : failure{std::make_error_code(std::errc::host_unreachable),
                                        "the gateway ended before it was answered"});
                }};
            run_on(address, [look, what = std::move(what), box] {
              look(what, [box](result<actor_tree> tree) { box.complete(std::move(tree)); });
            });
          };
  return way;
}

result<std::unique_ptr<http_edge>>
make_edge(self_pointer self, gateway_config& config, const std::shared_ptr<view_table>& view,
          const frontend_actor& frontend, const chaos_function& chaos, const look_function& look) {
  auto tokens = token_table::make(config.tokens);
  if (!tokens)
    return tokens.error();
  if (!config.ports) {
    auto ports = bind_gateway(config);
    if (!ports)
      return ports.error();
    config.ports = std::move(*ports);
  }
  auto metrics = std::make_shared<api_metrics>(config.registry, config.shed);
  view->observe([metrics](const any_record& record) { metrics->changed(record); });
  auto served
      = std::make_shared<const api>(config.limits, std::move(*tokens), view,
                                    backend_of(self, config, frontend, chaos, look), metrics);
  return std::make_unique<http_edge>(config, std::move(served), view);
}

} // namespace

gateway_state::gateway_state() = default;
gateway_state::~gateway_state() = default;

result<std::shared_ptr<const gateway_ports>> bind_gateway(const gateway_config& config) {
  if (auto tokens = token_table::make(config.tokens); !tokens)
    return tokens.error();
  return gateway_ports::open(config);
}

gateway_actor::behavior_type gateway(self_pointer self, gateway_config config,
                                     std::shared_ptr<view_table> view, frontend_actor frontend,
                                     chaos_function chaos, look_function look) {
  auto edge = make_edge(self, config, view, frontend, chaos, look);
  if (edge)
    self->state.edge = std::move(*edge);
  else // its supervisor logs why
    self->quit(caf::make_error(caf::sec::cannot_open_port, edge.error().message));
  return {
      [](const continuation& next) { next.run(); },
      [](tick_atom) { /* the edge's threads keep the time */ },
  };
}

} // namespace novacron
