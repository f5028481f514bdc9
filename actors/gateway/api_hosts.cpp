#include "actors/gateway/api.hpp"
#include "actors/gateway/request_bodies.hpp"
#include "actors/view/record_json.hpp"

namespace novacron {

/// An operator's word that an unreachable host is off.
void api::fence(call& c) const {
  auto parameters = only_parameters(c.target, {});
  if (!parameters)
    return c.done(answer_of(parameters.error()));
  auto key = key_of(c);
  if (!key)
    return c.done(answer_of(key.error()));
  auto confirmed = parse_fenced(c.request->body);
  if (!confirmed)
    return c.done(answer_of(confirmed.error()));
  auto host = host_of(c.where.id, {});
  if (!host)
    return c.done(answer_of(host.error()));
  auto accepted = [host = *host, view = view_, limit = limits_.view_time,
                   done = c.done](const command_outcome& outcome) {
    // The answer shows the host as the log made it; the view has it in a moment.
    view->when_revision(outcome.revision, view_table::clock::now() + limit, [=](wait_end) {
      host_record fallback;
      fallback.id = host;
      fallback.state = host_state::fenced;
      auto document = view->host(host);
      auto json = document ? document->json
                           : std::make_shared<const std::string>(host_json(fallback, {}));
      done({200, "application/json", std::move(json), {}});
    });
  };
  propose({fence_host{*host}, std::move(*key)}, std::move(c.done), std::move(accepted));
}

} // namespace novacron
