#include "actors/gateway/api.hpp"
#include "actors/view/json_writer.hpp"
#include "messages/names.hpp"

namespace novacron {

namespace {

constexpr uint64_t default_limit = 100;
constexpr uint64_t max_limit = 1'000;
constexpr auto max_revision = std::numeric_limits<uint64_t>::max();

api_answer page_answer(const view_page& page) {
  json_writer out;
  size_t bytes = 128; // what stands around the items
  for (const auto& item : page.items)
    bytes += item->size() + 1;
  out.reserve(bytes);
  out.begin_object();
  out.key("items").begin_array();
  for (const auto& item : page.items)
    out.raw(*item);
  out.end_array();
  if (!page.next.nil())
    out.key("next_cursor").text(to_string(page.next));
  out.key("revision").number(page.revision);
  out.end_object();
  return json_answer(200, out.take());
}

parsed<page_query> page_of(const request_target& target) {
  auto limit = number_parameter(target, "limit", 1, max_limit, default_limit);
  if (!limit)
    return limit.error();
  page_query page{*limit, {}};
  if (auto* cursor = target.find("cursor")) {
    auto id = parse_uuid(*cursor);
    if (!id)
      return bad_field("?cursor", "the parameter cursor must be a list's next_cursor");
    page.after = *id;
  }
  return page;
}

std::string allowed_states() {
  std::string list;
  for (auto word : words_of<actual_state>())
    list += (list.empty() ? "" : ", ") + std::string{word};
  return list;
}

} // namespace

/// Answers with `make`, once the view has reached `?min_revision=`; with
/// `?consistency=linearizable` once it shows everything acknowledged before.
void api::read(call& c, std::initializer_list<std::string_view> parameters,
               answer_with_revision make) const {
  std::vector<std::string_view> all{parameters};
  all.insert(all.end(), {"min_revision", "consistency"});
  auto known = only_parameters(c.target, all);
  if (!known)
    return c.done(answer_of(known.error()));
  auto revision = number_parameter(c.target, "min_revision", 0, max_revision, 0);
  if (!revision)
    return c.done(answer_of(revision.error()));
  const auto* consistency = c.target.find("consistency");
  const bool linearizable = consistency && *consistency == "linearizable";
  if (consistency && !linearizable && *consistency != "local")
    return c.done(answer_of(bad_field(
        "?consistency", "the parameter consistency must be one of: local, linearizable")));
  if (!view_->complete())
    return c.done(answer_of(view_behind("the state has not been read yet; ask again shortly")));
  if (!linearizable || !way_.status)
    return read_at(*revision, make, std::move(c.done));
  way_.status({true}, [self = shared_from_this(), wanted = *revision, make = std::move(make),
                       done = std::move(c.done)](const std::optional<group_status>& leader) {
    if (!leader)
      return done(answer_of(no_leader("no leader answered; ask again, or without ?consistency=")));
    self->read_at(std::max(wanted, leader->applied_index), make, done);
  });
}

void api::read_at(uint64_t revision, const answer_with_revision& make, answer_function done) const {
  view_->when_revision(
      revision, view_table::clock::now() + limits_.view_time,
      [revision, view = view_, metrics = metrics_, make, done = std::move(done)](wait_end how) {
        if (how == wait_end::reached)
          return done(make());
        if (how == wait_end::refused) {
          metrics->shed(shed_reason::waits);
          return done(answer_of(overloaded(shed_reason::waits)));
        }
        done(answer_of(view_behind("revision " + std::to_string(revision)
                                   + " has not come yet, this gateway is at "
                                   + std::to_string(view->revision()) + "; ask again shortly")));
      });
}

void api::list_vms(call& c) const {
  auto page = page_of(c.target);
  if (!page)
    return c.done(answer_of(page.error()));
  vm_query query{*page, {}, {}, {}};
  if (auto* name = c.target.find("name"))
    query.name = *name;
  if (auto* state = c.target.find("state")) {
    query.state = parse<actual_state>(*state);
    if (!query.state)
      return c.done(
          answer_of(bad_field("?state", "the parameter state must be one of " + allowed_states())));
  }
  auto* host = c.target.find("host");
  std::string host_name = host == nullptr ? std::string{} : *host;
  read(c, {"limit", "cursor", "name", "state", "host"}, [view = view_, query, host_name]() mutable {
    if (!host_name.empty()) {
      // No such host: no VM is on it.
      auto id = parse_uuid(host_name);
      auto named = id ? std::optional{node_id{*id}} : view->host_named(host_name);
      if (!named)
        return page_answer({{}, {}, view->revision()});
      query.host = *named;
    }
    return page_answer(view->vms(query));
  });
}

void api::list_history(call& c) const {
  auto page = page_of(c.target);
  if (!page)
    return c.done(answer_of(page.error()));
  history_query query{*page, {}};
  if (auto* vm = c.target.find("vm")) {
    auto id = parse_uuid(*vm);
    if (!id)
      return c.done(answer_of(bad_field("?vm", "the parameter vm must be a VM's id")));
    query.vm = vm_id{*id};
  }
  bool migrations = c.where.found->what == action::list_migrations;
  read(c, {"limit", "cursor", "vm"}, [view = view_, query, migrations] {
    return page_answer(migrations ? view->migrations(query) : view->operations(query));
  });
}

/// Hosts or tasks: lists that only pages narrow.
void api::list_plain(call& c) const {
  auto page = page_of(c.target);
  if (!page)
    return c.done(answer_of(page.error()));
  const bool tasks = c.where.found->what == action::list_tasks;
  read(c, {"limit", "cursor"}, [view = view_, query = *page, tasks] {
    return page_answer(tasks ? view->tasks(query) : view->hosts(query));
  });
}

void api::read_one(call& c) const {
  auto id = parse_uuid(c.where.id);
  auto what = c.where.found->what;
  read(c, {}, [view = view_, id, what, shown = c.where.id] {
    auto found = [&](std::string_view kind, const std::optional<view_document>& document) {
      if (!document)
        return answer_of(no_such(kind, shown));
      return json_answer(200, document->json,
                         {{"ETag", '"' + std::to_string(document->revision) + '"'}});
    };
    std::optional<view_document> none;
    switch (what) {
    case action::read_migration:
      return found("migration", id ? view->migration(migration_id{*id}) : none);
    case action::read_operation:
      return found("operation", id ? view->operation(operation_id{*id}) : none);
    case action::read_host:
      return found("host", id ? view->host(node_id{*id}) : none);
    case action::read_task:
      return found("task", id ? view->task(task_id{*id}) : none);
    default:
      return found("vm", id ? view->vm(vm_id{*id}) : none);
    }
  });
}

/// Where the events that were asked for start.
parsed<uint64_t> api::event_start(const request_target& target) const {
  auto known = only_parameters(target, {"since", "limit"});
  if (!known)
    return known.error();
  if (!view_->complete())
    return view_behind("the state has not been read yet; ask again shortly");
  if (target.find("since") == nullptr)
    return view_->event_end();
  auto since = number_parameter(target, "since", 0, max_revision, 0);
  if (!since)
    return since.error();
  auto start = view_->event_position(*since);
  if (!start)
    return events_too_old(*since);
  return *start;
}

void api::read_events(call& c) const {
  auto limit = number_parameter(c.target, "limit", 1, max_limit, max_limit);
  if (!limit)
    return c.done(answer_of(limit.error()));
  auto revision = view_->revision(); // before the events: nothing up to it is missed
  auto start = event_start(c.target);
  if (!start)
    return c.done(answer_of(start.error()));
  auto since = *number_parameter(c.target, "since", 0, max_revision, revision);
  auto slice = view_->events(*start, *limit);
  if (!slice)
    return c.done(answer_of(events_too_old(since)));
  auto& events = slice->events;
  // Whole revisions: `next` names one.
  bool more = !events.empty();
  while (more) {
    auto rest = view_->events(slice->next, 64);
    more = rest && !rest->events.empty();
    for (size_t i = 0; more && i < rest->events.size(); ++i) {
      more = rest->events[i].revision == events.back().revision;
      if (more) {
        events.push_back(rest->events[i]);
        ++slice->next;
      }
    }
  }
  json_writer out;
  out.begin_object();
  out.key("items").begin_array();
  for (const auto& event : events)
    out.raw(*event.json);
  out.end_array();
  out.key("next").number(events.empty() ? std::max(revision, since) : events.back().revision);
  out.key("revision").number(revision);
  out.end_object();
  c.done(json_answer(200, out.take()));
}

} // namespace novacron
