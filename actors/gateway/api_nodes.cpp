#include "actors/gateway/api.hpp"
#include "actors/gateway/node_documents.hpp"
#include "actors/gateway/request_bodies.hpp"
#include "actors/gateway/vote_rules.hpp"
#include "actors/view/json_writer.hpp"

#include <algorithm>

namespace novacron {

namespace {

std::vector<shown_node> shown(const view_table& view, const std::optional<group_status>& status) {
  return shown_nodes(view.nodes(), view.host_records(), status);
}

/// By name, of those that weren't removed, or by id.
const shown_node* find(const std::vector<shown_node>& nodes, const std::string& name_or_id) {
  const auto id = parse_uuid(name_or_id);
  auto found = std::ranges::find_if(nodes, [&](const shown_node& x) {
    return id ? x.record.id.value == *id
              : x.record.name == name_or_id && x.record.wish != member_wish::removed;
  });
  return found == nodes.end() ? nullptr : &*found;
}

std::string name_in(const std::vector<shown_node>& nodes, node_id id) {
  auto found = std::ranges::find(nodes, id, [](const shown_node& x) { return x.record.id; });
  return found == nodes.end() || found->record.name.empty() ? to_string(id) : found->record.name;
}

problem not_with_these_voters(std::string why) {
  return {"quorum", 409, "The group of voters can't bear it", std::move(why), {}, {}};
}

member_wish wish_of(action what) {
  return what == action::demote_node   ? member_wish::standby
         : what == action::remove_node ? member_wish::leaving
                                       : member_wish::voter;
}

/// The wish, or why the group can't bear it.
parsed<wish_member> judge(const group_status& status, const std::vector<shown_node>& nodes,
                          action what, const std::string& whom, const std::string& successor) {
  const auto* node = find(nodes, whom);
  if (!node)
    return no_such("node", whom);
  auto name_of = [&](node_id id) { return name_in(nodes, id); };
  auto members = status;
  if (what == action::replace_node) {
    const auto* fresh = find(nodes, successor);
    if (!fresh) {
      auto why = no_such("node", successor);
      why.field = "/with";
      return why;
    }
    const auto id = fresh->record.id;
    if (auto why = vote_objection(members, id, member_wish::voter, name_of); !why.empty())
      return not_with_these_voters(std::move(why));
    members.members = members_after(members.members, id, member_wish::voter);
    if (auto why = vote_objection(members, node->record.id, member_wish::leaving, name_of);
        !why.empty())
      return not_with_these_voters(std::move(why));
    return wish_member{id, member_wish::voter, node->record.id};
  }
  const auto wish = wish_of(what);
  if (auto why = vote_objection(members, node->record.id, wish, name_of); !why.empty())
    return not_with_these_voters(std::move(why));
  return wish_member{node->record.id, wish, {}};
}

} // namespace

void api::with_group(const call& c,
                     std::function<void(const std::optional<group_status>&)> then) const {
  if (!way_.status)
    return c.done(answer_of(no_such_path(c.target.path)));
  if (!view_->complete())
    return c.done(answer_of(view_behind("the nodes have not been read yet; ask again shortly")));
  way_.status({}, std::move(then));
}

void api::list_nodes(call& c) const {
  auto known = only_parameters(c.target, {"limit", "cursor"});
  if (!known)
    return c.done(answer_of(known.error()));
  with_group(c, [view = view_, done = c.done](const std::optional<group_status>& status) {
    json_writer out;
    out.begin_object();
    out.key("items").begin_array();
    for (const auto& each : shown(*view, status))
      out.raw(shown_node_json(each));
    out.end_array();
    out.key("next_cursor").null();
    out.key("changing").text_or_null(status ? status->changing : std::string{});
    out.key("revision").number(view->revision());
    out.end_object();
    done(json_answer(200, out.take()));
  });
}

void api::read_node(call& c) const {
  auto known = only_parameters(c.target, {});
  if (!known)
    return c.done(answer_of(known.error()));
  with_group(c, [view = view_, whom = c.where.id,
                 done = c.done](const std::optional<group_status>& status) {
    const auto nodes = shown(*view, status);
    const auto* node = find(nodes, whom);
    done(node ? json_answer(200, shown_node_json(*node)) : answer_of(no_such("node", whom)));
  });
}

void api::change_node(call& c) const {
  auto key = begin_change(c);
  if (!key)
    return c.done(answer_of(key.error()));
  const auto what = c.where.found->what;
  std::string successor;
  if (what == action::replace_node) {
    auto body = parse_replace(c.request->body);
    if (!body)
      return c.done(answer_of(body.error()));
    successor = body->with;
  } else if (auto empty = parse_nothing(c.request->body); !empty) {
    return c.done(answer_of(empty.error()));
  }
  with_group(c, [self = shared_from_this(), what, whom = c.where.id, successor, key = *key,
                 done = c.done](const std::optional<group_status>& status) {
    if (!status || !status->by_leader())
      return done(answer_of(no_leader("no leader can be reached; nothing was done: come back "
                                      "later")));
    auto wish = judge(*status, shown(*self->view_, status), what, whom, successor);
    if (!wish)
      return done(answer_of(wish.error()));
    self->propose({*wish, key}, done, [self, wish = *wish, status, done](const auto& outcome) {
      self->view_->when_revision(
          outcome.revision, view_table::clock::now() + self->limits_.view_time,
          [self, wish, status, done](wait_end) {
            const auto nodes = shown(*self->view_, status);
            const auto* node = find(nodes, to_string(wish.node));
            done(json_answer(202, node ? shown_node_json(*node) : "{}",
                             {{"Location", "/api/v1/nodes/" + to_string(wish.node)}}));
          });
    });
  });
}

} // namespace novacron
