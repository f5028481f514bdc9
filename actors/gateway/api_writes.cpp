#include "actors/gateway/api.hpp"
#include "actors/gateway/request_bodies.hpp"

#include <algorithm>
#include <charconv>

namespace novacron {

namespace {

constexpr size_t max_key = 128;

/// An If-Match header's revision; 0 for `*` and for none.
parsed<uint64_t> revision_of(const std::optional<std::string>& if_match) {
  if (!if_match || *if_match == "*")
    return uint64_t{0};
  std::string_view text = *if_match;
  if (text.size() > 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  uint64_t x = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || x == 0)
    return bad_field("If-Match", "the header If-Match must be a VM's ETag, such as \"42\"");
  return x;
}

operation_verb verb_of(action what) {
  switch (what) {
  case action::start_vm:
    return operation_verb::start;
  case action::stop_vm:
    return operation_verb::stop;
  case action::pause_vm:
    return operation_verb::pause;
  case action::resume_vm:
    return operation_verb::resume;
  case action::migrate_vm:
    return operation_verb::migrate;
  default:
    return operation_verb::remove;
  }
}

requested_state state_of(action what) {
  switch (what) {
  case action::stop_vm:
    return requested_state::stopped;
  case action::pause_vm:
    return requested_state::paused;
  case action::delete_vm:
    return requested_state::deleted;
  default:
    return requested_state::running;
  }
}

std::string etag(uint64_t revision) {
  return '"' + std::to_string(revision) + '"';
}

} // namespace

parsed<idempotency> api::begin_change(const call& c,
                                      const std::vector<std::string_view>& parameters) const {
  auto known = only_parameters(c.target, parameters);
  if (!known)
    return known.error();
  return key_of(c);
}

parsed<api::host_change> api::begin_host_change(const call& c) const {
  auto key = begin_change(c);
  if (!key)
    return key.error();
  auto host = host_of(c.where.id, {});
  if (!host)
    return host.error();
  return host_change{*host, std::move(*key)};
}

parsed<idempotency> api::key_of(const call& c) const {
  const auto& request = *c.request;
  idempotency result;
  result.principal = c.principal;
  if (request.idempotency_key) {
    result.key = *request.idempotency_key;
    bool good = !result.key.empty() && result.key.size() <= max_key
                && std::ranges::all_of(result.key, [](char x) { return x > 0x20 && x < 0x7F; });
    if (!good)
      return bad_field("Idempotency-Key",
                       "the header Idempotency-Key must have 1 to 128 printable characters");
  } else {
    result.key = to_string(way_.ids());
  }
  const std::array<std::string_view, 3> parts{request.method, c.target.path, request.body};
  result.body_hash = digest_of(parts);
  return result;
}

parsed<node_id> api::host_of(const std::string& name_or_id, const std::string& field) const {
  return named(name_or_id, "host", &view_table::host_named, field);
}

parsed<node_id> api::node_of(const std::string& name_or_id, const std::string& field) const {
  return named(name_or_id, "node", &view_table::node_named, field);
}

parsed<node_id> api::named(const std::string& name_or_id, std::string_view kind,
                           std::optional<node_id> (view_table::*find)(std::string_view) const,
                           const std::string& field) const {
  if (auto id = parse_uuid(name_or_id))
    return node_id{*id};
  if (!view_->complete())
    return view_behind("the names of hosts and nodes have not been read yet; ask again shortly");
  if (auto id = ((*view_).*find)(name_or_id))
    return *id;
  auto why = no_such(kind, name_or_id);
  why.field = field;
  return why;
}

void api::propose(command asked, answer_function done,
                  std::function<void(const command_outcome&)> accepted) const {
  proposal wish;
  wish.commands.push_back(std::move(asked));
  way_.propose(std::move(wish), [done = std::move(done), accepted = std::move(accepted)](
                                    const std::optional<outcomes>& answer) {
    if (!answer || answer->each.size() != 1)
      return done(answer_of(outcome_unknown()));
    const auto& outcome = answer->each.front();
    if (!outcome.ok())
      return done(answer_of(problem_of(outcome)));
    accepted(outcome);
  });
}

void api::create(call& c) const {
  auto key = begin_change(c, {"wait"});
  if (!key)
    return c.done(answer_of(key.error()));
  // A create is done when it is answered: there is nothing to wait for.
  if (auto wait = duration_parameter(c.target, "wait", limits_.longest_wait); !wait)
    return c.done(answer_of(wait.error()));
  auto body = parse_create(c.request->body);
  if (!body)
    return c.done(answer_of(body.error()));
  create_vm wish{vm_id{way_.ids()}, body->name, body->spec, {}, operation_id{way_.ids()}};
  auto accepted = [wish, view = view_, limit = limits_.view_time,
                   done = c.done](const command_outcome& outcome) {
    // The answer shows the VM as the log made it; the view has it in a moment.
    view->when_revision(outcome.revision, view_table::clock::now() + limit, [=](wait_end /*how*/) {
      vm_record fallback;
      fallback.id = outcome.vm;
      fallback.name = wish.name;
      fallback.spec = wish.spec;
      fallback.revision = outcome.revision;
      auto document = view->vm(outcome.vm);
      if (!document)
        document = view_document{std::make_shared<const std::string>(vm_json(fallback, "")),
                                 outcome.revision};
      done(json_answer(201, document->json,
                       {{"Location", "/api/v1/vms/" + to_string(outcome.vm)},
                        {"ETag", etag(document->revision)}}));
    });
  };
  propose({std::move(wish), std::move(*key)}, std::move(c.done), std::move(accepted));
}

/// The command behind start, stop, pause, resume, migrate and delete.
parsed<command_body> api::verb(const call& c) const {
  auto id = parse_uuid(c.where.id);
  if (!id)
    return no_such("vm", c.where.id);
  auto revision = revision_of(c.request->if_match);
  if (!revision)
    return revision.error();
  auto what = c.where.found->what;
  if (what != action::migrate_vm) {
    auto empty = parse_nothing(c.request->body);
    if (!empty)
      return empty.error();
    return command_body{
        request_state{vm_id{*id}, state_of(what), *revision, operation_id{way_.ids()}}};
  }
  auto body = parse_migrate(c.request->body);
  if (!body)
    return body.error();
  node_id to;
  if (!body->to.empty()) {
    auto host = host_of(body->to, "/to");
    if (!host)
      return host.error();
    to = *host;
  }
  return command_body{reserve_migration{migration_id{way_.ids()}, vm_id{*id}, to, *revision,
                                        operation_id{way_.ids()}, body->terms}};
}

void api::change_vm(call& c) const {
  auto key = begin_change(c, {"wait"});
  if (!key)
    return c.done(answer_of(key.error()));
  auto wait = duration_parameter(c.target, "wait", limits_.longest_wait);
  if (!wait)
    return c.done(answer_of(wait.error()));
  auto body = verb(c);
  if (!body)
    return c.done(answer_of(body.error()));
  auto accepted = [self = shared_from_this(), how = verb_of(c.where.found->what), wait = *wait,
                   done = c.done](const command_outcome& outcome) {
    operation_record fallback;
    fallback.id = outcome.operation;
    fallback.verb = how;
    fallback.vm = outcome.vm;
    fallback.migration = outcome.migration;
    fallback.revision = outcome.revision;
    self->answer_operation(fallback, outcome.revision, wait, done);
  };
  propose({std::move(*body), std::move(*key)}, std::move(c.done), std::move(accepted));
}

/// One that waits is over with it; one that is under way, and not decided, is rolled back.
void api::cancel_migration(call& c) const {
  auto key = begin_change(c);
  if (!key)
    return c.done(answer_of(key.error()));
  auto empty = parse_nothing(c.request->body);
  if (!empty)
    return c.done(answer_of(empty.error()));
  if (!view_->complete())
    return c.done(answer_of(view_behind("the state has not been read yet; ask again shortly")));
  auto id = parse_uuid(c.where.id);
  auto moves = id ? view_->epoch_of(migration_id{*id}) : std::nullopt;
  if (!moves)
    return c.done(answer_of(no_such("migration", c.where.id)));
  decide_migration wish{migration_id{*id}, *moves, migration_decision::abort,
                        "cancelled by " + c.principal};
  auto accepted = [view = view_, which = wish.migration, limit = limits_.view_time,
                   done = c.done](const command_outcome& outcome) {
    view->when_revision(outcome.revision, view_table::clock::now() + limit, [=](wait_end /*how*/) {
      auto document = view->migration(which);
      if (!document)
        return done(answer_of(no_such("migration", to_string(which))));
      done(json_answer(200, document->json, {{"ETag", etag(document->revision)}}));
    });
  };
  propose({std::move(wish), std::move(*key)}, std::move(c.done), std::move(accepted));
}

void api::answer_operation(const operation_record& fallback, uint64_t revision,
                           std::chrono::milliseconds wait, answer_function done) const {
  auto answer = [fallback, view = view_, done = std::move(done)](unsigned status) {
    auto document = view->operation(fallback.id);
    auto json
        = document ? document->json : std::make_shared<const std::string>(operation_json(fallback));
    done(json_answer(status, std::move(json),
                     {{"Location", "/api/v1/operations/" + to_string(fallback.id)}}));
  };
  auto now = view_table::clock::now();
  bool waits = wait.count() > 0 && waiting_->fetch_add(1) < limits_.in_flight / 2;
  if (waits)
    return view_->when_operation_ends(fallback.id, now + wait,
                                      [answer, waiting = waiting_](wait_end how) {
                                        waiting->fetch_sub(1);
                                        answer(how == wait_end::reached ? 200 : 202);
                                      });
  if (wait.count() > 0)
    waiting_->fetch_sub(1);
  view_->when_revision(revision, now + limits_.view_time, [answer](wait_end) { answer(202); });
}

} // namespace novacron
