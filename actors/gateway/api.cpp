#include "actors/gateway/api.hpp"

#include <algorithm>

namespace novacron {

namespace {

shared_json share(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

} // namespace

api_answer json_answer(unsigned status, shared_json body,
                       std::vector<std::pair<std::string, std::string>> headers) {
  return {status, "application/json", std::move(body), std::move(headers)};
}

api_answer json_answer(unsigned status, std::string body,
                       std::vector<std::pair<std::string, std::string>> headers) {
  return json_answer(status, share(std::move(body)), std::move(headers));
}

api_answer answer_of(const problem& x) {
  api_answer answer{x.status, "application/problem+json", share(to_json(x)), {}};
  if (x.status == 401)
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (x.status == 405)
    answer.headers.emplace_back("Allow", x.allow);
  if (x.status == 503)
    answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

api::api(gateway_limits limits, token_table tokens, std::shared_ptr<view_table> view, backend way,
         std::shared_ptr<api_metrics> metrics)
    : limits_{limits}, tokens_{std::move(tokens)}, view_{std::move(view)}, way_{std::move(way)},
      metrics_{std::move(metrics)} {
  // nop
}

parsed<api::call> api::admit(const api_request& request) const {
  call c;
  c.request = &request;
  auto target = parse_target(request.target);
  if (!target)
    return target.error();
  c.target = std::move(*target);
  auto where = find_route(request.door, request.method, c.target);
  bool open = std::holds_alternative<match>(where) && !std::get<match>(where).found->token;
  if (!open && request.door == listener::api) {
    auto principal = tokens_.principal(request.authorization);
    if (!principal)
      return unauthorized();
    c.principal = std::move(*principal);
  }
  if (auto* none = std::get_if<no_match>(&where)) {
    if (none->allow.empty())
      return no_such_path(c.target.path);
    return method_not_allowed(request.method, none->allow);
  }
  c.where = std::get<match>(std::move(where));
  return c;
}

void api::handle(const api_request& request, answer_function done) const {
  using clock = std::chrono::steady_clock;
  auto begin = clock::now();
  auto admitted = admit(request);
  auto* route = admitted ? admitted->where.found : nullptr;
  auto counted = [metrics = metrics_, route, begin, done = std::move(done)](api_answer answer) {
    metrics->answered(route, answer.status, clock::now() - begin);
    done(std::move(answer));
  };
  if (!admitted) {
    counted(answer_of(admitted.error()));
    return;
  }
  admitted->done = std::move(counted);
  // Whether it lives costs nothing, and must be told however many ask for more.
  if (!route->token && route->what != action::health && request.door == listener::api) {
    auto place = place_of_stranger();
    if (!place) {
      metrics_->shed(shed_reason::strangers);
      return admitted->done(answer_of(overloaded(shed_reason::strangers)));
    }
    admitted->done
        = [place, next = std::move(admitted->done)](api_answer answer) { next(std::move(answer)); };
  }
  dispatch(*admitted);
}

std::shared_ptr<void> api::place_of_stranger() const {
  const bool fits = strangers_->fetch_add(1) < std::max<size_t>(limits_.in_flight / 8, 1);
  std::shared_ptr<void> place{strangers_.get(), [all = strangers_](void*) { all->fetch_sub(1); }};
  return fits ? place : nullptr;
}

std::variant<size_t, api_answer> api::body_limit(const api_request& head) const {
  auto admitted = admit(head);
  if (admitted)
    return admitted->where.found->token ? limits_.body_bytes : limits_.open_body_bytes;
  metrics_->answered(nullptr, admitted.error().status, {});
  return answer_of(admitted.error());
}

void api::dispatch(call& c) const {
  switch (c.where.found->what) {
  case action::list_vms:
    return list_vms(c);
  case action::list_migrations:
  case action::list_operations:
    return list_history(c);
  case action::list_hosts:
  case action::list_tasks:
    return list_plain(c);
  case action::read_vm:
  case action::read_migration:
  case action::read_operation:
  case action::read_host:
  case action::read_task:
    return read_one(c);
  case action::plan_vm:
    return plan_vm(c);
  case action::plan_move:
    return plan_move(c);
  case action::cordon_host:
  case action::uncordon_host:
  case action::drain_host:
  case action::evacuate_host:
    return maintain(c);
  case action::read_drain:
    return read_drain(c);
  case action::cancel_task:
    return cancel(c);
  case action::cancel_migration:
    return cancel_migration(c);
  case action::rebalance:
    return rebalance(c);
  case action::events:
    return read_events(c);
  case action::read_cluster:
    return read_cluster(c);
  case action::compare_states:
    return compare(c);
  case action::list_actors:
    return read_actors(c);
  case action::create_vm:
    return create(c);
  case action::delete_vm:
  case action::start_vm:
  case action::stop_vm:
  case action::pause_vm:
  case action::resume_vm:
  case action::migrate_vm:
    return change_vm(c);
  case action::list_nodes:
    return list_nodes(c);
  case action::read_node:
    return read_node(c);
  case action::promote_node:
  case action::demote_node:
  case action::remove_node:
  case action::replace_node:
    return change_node(c);
  case action::create_join_token:
    return create_join_token(c);
  case action::join:
    return join(c);
  case action::kill_actor:
    return kill(c);
  case action::fence_host:
    return fence(c);
  case action::health:
    return c.done(json_answer(200, R"({"status":"ok"})"));
  case action::ready:
    return ready(c);
  case action::metrics:
    return c.done({200,
                   "text/plain; version=0.0.4; charset=utf-8",
                   share(metrics_->scrape(view_->vms_by_state())),
                   {}});
  }
}

std::variant<uint64_t, api_answer> api::subscribe(const api_request& request) const {
  auto admitted = admit(request);
  auto refuse = [&](const problem& why) {
    metrics_->answered(admitted ? admitted->where.found : nullptr, why.status, {});
    return answer_of(why);
  };
  if (!admitted)
    return refuse(admitted.error());
  if (admitted->where.found->what != action::events)
    return refuse(bad_request("no WebSocket is served here; the events are at /api/v1/events"));
  auto start = event_start(admitted->target);
  if (!start)
    return refuse(start.error());
  metrics_->answered(admitted->where.found, 101, {});
  return *start;
}

} // namespace novacron
