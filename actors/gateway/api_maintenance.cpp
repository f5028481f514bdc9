// Plans, hosts' maintenance, and the tasks that it makes.

#include "actors/gateway/api.hpp"
#include "actors/gateway/maintenance_bodies.hpp"
#include "actors/gateway/placement_json.hpp"
#include "actors/gateway/request_bodies.hpp"

namespace novacron {

namespace {

/// Its guest would have to be brought along.
bool has_guest(const vm_record& vm) {
  return vm.actual == actual_state::running || vm.actual == actual_state::paused
         || vm.actual == actual_state::migrating;
}

} // namespace

/// Where a VM like this one would be placed now, and why not elsewhere.
void api::plan_vm(call& c) const {
  auto body = parse_plan(c.request->body);
  if (!body)
    return c.done(answer_of(body.error()));
  read(c, {}, [view = view_, spec = body->spec] {
    const placement_wish wish{{}, spec, {}, {}, false};
    return json_answer(200, plan_json(plan_placement(view->placement(), wish), view->revision()));
  });
}

/// Why a VM is where it is, and where it would go.
void api::plan_move(call& c) const {
  auto id = parse_uuid(c.where.id);
  if (!id)
    return c.done(answer_of(no_such("vm", c.where.id)));
  read(c, {}, [view = view_, id = vm_id{*id}] {
    auto state = view->placement();
    const auto* vm = state.find(id);
    if (!vm)
      return answer_of(no_such("vm", to_string(id)));
    const placement_wish wish{id, vm->spec, {}, vm->host, has_guest(*vm)};
    return json_answer(200, plan_json(plan_placement(state, wish), view->revision()));
  });
}

void api::maintain(call& c) const {
  auto begun = begin_host_change(c);
  if (!begun)
    return c.done(answer_of(begun.error()));
  maintain_host wish;
  wish.host = begun->host;
  const auto what = c.where.found->what;
  const bool makes_task = what == action::drain_host || what == action::evacuate_host;
  if (makes_task)
    wish.task = {way_.ids()};
  if (what == action::drain_host) {
    auto body = parse_drain(c.request->body);
    if (!body)
      return c.done(answer_of(body.error()));
    wish.wish = maintenance_wish::drain;
    wish.parallel = body->parallel;
    wish.deadline = body->deadline;
    wish.then = body->then;
  } else {
    auto empty = parse_nothing(c.request->body);
    if (!empty)
      return c.done(answer_of(empty.error()));
    wish.wish = what == action::evacuate_host ? maintenance_wish::evacuate
                : what == action::cordon_host ? maintenance_wish::cordon
                                              : maintenance_wish::uncordon;
  }
  auto accepted = [self = shared_from_this(), makes_task, host = wish.host,
                   done = c.done](const command_outcome& outcome) {
    if (makes_task)
      return self->answer_task(202, outcome, done);
    self->view_->when_revision(outcome.revision, view_table::clock::now() + self->limits_.view_time,
                               [self, host, done](wait_end) {
                                 auto document = self->view_->host(host);
                                 done(document ? json_answer(200, document->json)
                                               : answer_of(no_such("host", to_string(host))));
                               });
  };
  propose({wish, std::move(begun->key)}, std::move(c.done), std::move(accepted));
}

/// The latest drain or evacuation of a host.
void api::read_drain(call& c) const {
  auto host = host_of(c.where.id, {});
  if (!host)
    return c.done(answer_of(host.error()));
  read(c, {}, [view = view_, host = *host, shown = c.where.id] {
    auto task = view->task(view->drain_of(host));
    if (!task)
      return answer_of({"unknown_task",
                        404,
                        "No such task",
                        "host " + shown
                            + " has not been drained or evacuated of late; begin with POST "
                              "/api/v1/hosts/{id}/drain, or evacuate for one that is off",
                        {},
                        {}});
    return json_answer(200, task->json);
  });
}

void api::cancel(call& c) const {
  auto key = begin_change(c);
  if (!key)
    return c.done(answer_of(key.error()));
  auto id = parse_uuid(c.where.id);
  if (!id)
    return c.done(answer_of(no_such("task", c.where.id)));
  auto empty = parse_nothing(c.request->body);
  if (!empty)
    return c.done(answer_of(empty.error()));
  auto accepted = [self = shared_from_this(), done = c.done](const command_outcome& outcome) {
    self->answer_task(200, outcome, done);
  };
  propose({cancel_task{task_id{*id}}, std::move(*key)}, std::move(c.done), std::move(accepted));
}

void api::rebalance(call& c) const {
  auto key = begin_change(c);
  if (!key)
    return c.done(answer_of(key.error()));
  auto body = parse_rebalance(c.request->body);
  if (!body)
    return c.done(answer_of(body.error()));
  if (!view_->complete())
    return c.done(answer_of(view_behind("the state has not been read yet; ask again shortly")));
  auto state = view_->placement();
  auto plan = plan_rebalance(state, {body->moves, body->spread_percent * 10});
  if (body->plan || plan.steps.empty())
    return c.done(json_answer(200, rebalance_json(plan, state, view_->revision())));
  start_rebalance wish;
  wish.task = {way_.ids()};
  wish.parallel = body->parallel;
  for (const auto& step : plan.steps)
    wish.moves.push_back({step.vm, step.to});
  auto accepted = [self = shared_from_this(), done = c.done](const command_outcome& outcome) {
    self->answer_task(202, outcome, done);
  };
  propose({std::move(wish), std::move(*key)}, std::move(c.done), std::move(accepted));
}

/// With the task as the log made it, once the view shows it.
void api::answer_task(unsigned status, const command_outcome& outcome, answer_function done) const {
  view_->when_revision(outcome.revision, view_table::clock::now() + limits_.view_time,
                       [status, view = view_, id = outcome.task, done = std::move(done)](wait_end) {
                         auto document = view->task(id);
                         auto json = document ? document->json
                                              : std::make_shared<const std::string>(
                                                  R"({"id":")" + to_string(id) + "\"}");
                         done(json_answer(status, std::move(json),
                                          {{"Location", "/api/v1/tasks/" + to_string(id)}}));
                       });
}

} // namespace novacron
