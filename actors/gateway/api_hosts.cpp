#include "actors/gateway/api.hpp"
#include "actors/gateway/request_bodies.hpp"
#include "actors/view/record_json.hpp"

namespace novacron {

/// An operator's word that an unreachable host is off.
void api::fence(call& c) const {
  auto begun = begin_host_change(c);
  if (!begun)
    return c.done(answer_of(begun.error()));
  auto confirmed = parse_fenced(c.request->body);
  if (!confirmed)
    return c.done(answer_of(confirmed.error()));
  auto accepted = [host = begun->host, view = view_, limit = limits_.view_time,
                   done = c.done](const command_outcome& outcome) {
    // The answer shows the host as the log made it; the view has it in a moment.
    view->when_revision(outcome.revision, view_table::clock::now() + limit, [=](wait_end) {
      host_record fallback;
      fallback.id = host;
      fallback.state = host_state::fenced;
      auto document = view->host(host);
      done(document ? json_answer(200, document->json) : json_answer(200, host_json(fallback, {})));
    });
  };
  propose({fence_host{begun->host, {way_.ids()}}, std::move(begun->key)}, std::move(c.done),
          std::move(accepted));
}

} // namespace novacron
