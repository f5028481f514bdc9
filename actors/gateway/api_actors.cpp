#include "actors/gateway/actor_survey.hpp"
#include "actors/gateway/api.hpp"
#include "actors/gateway/request_bodies.hpp"
#include "actors/view/json_writer.hpp"

#include <algorithm>

namespace novacron {

namespace {

constexpr uint64_t usual_children = 50; ///< shown of each supervisor

void write_actor(json_writer& out, const actor_status& actor, const std::string& node) {
  out.begin_object();
  out.key("path").text(node + '/' + actor.path);
  out.key("supervisor").boolean(actor.supervisor);
  out.key("state").text(to_string(actor.state));
  out.key("restarts").number(actor.restarts);
  out.key("mailbox");
  if (actor.mailbox)
    out.number(*actor.mailbox);
  else
    out.null();
  out.key("up_seconds").fraction(std::chrono::duration<double>(actor.up).count());
  out.key("last_failure").text_or_null(actor.last_failure);
  out.end_object();
}

void write_group(json_writer& out, const actor_group& group, const std::string& node) {
  out.begin_object();
  out.key("path").text(group.path.empty() ? node : node + '/' + group.path);
  out.key("kind").text(group.kind);
  out.key("count").number(group.count);
  out.key("running").number(group.running);
  out.key("restarts").number(group.restarts);
  out.key("mailbox").number(group.mailbox);
  out.end_object();
}

void write_node(json_writer& out, node_id id, const actor_survey::visit& node) {
  const auto name = node.name.empty() ? to_string(id) : node.name;
  out.begin_object();
  out.key("node").text(to_string(id));
  out.key("name").text(name);
  out.key("reachable").boolean(node.tree.has_value());
  out.key("error").text_or_null(node.tree ? std::string{} : node.tree.error().message);
  out.key("actors").begin_array();
  if (node.tree)
    for (const auto& each : node.tree->actors)
      write_actor(out, each, name);
  out.end_array();
  out.key("more").begin_array();
  if (node.tree)
    for (const auto& each : node.tree->more)
      write_group(out, each, name);
  out.end_array();
  out.key("next_cursor");
  if (node.tree && node.tree->next != 0)
    out.text(std::to_string(node.tree->next));
  else
    out.null();
  out.end_object();
}

std::string actors_json(const actor_survey::nodes& nodes, size_t left_out) {
  std::vector<const actor_survey::nodes::value_type*> by_name;
  for (const auto& each : nodes)
    by_name.push_back(&each);
  std::ranges::sort(by_name, {}, [](const auto* each) { return each->second.name; });
  json_writer out;
  out.begin_object();
  out.key("nodes").begin_array();
  for (const auto* each : by_name)
    write_node(out, each->first, each->second);
  out.end_array();
  out.key("left_out").number(left_out);
  out.end_object();
  return out.take();
}

} // namespace

/// What the parameters ask for: `node` is nil when they ask for all.
parsed<actor_tree_request> api::tree_asked_for(const call& c) const {
  auto known = only_parameters(c.target, {"node", "path", "limit", "cursor"});
  if (!known)
    return known.error();
  actor_tree_request out;
  auto limit = number_parameter(c.target, "limit", 1, most_children_shown, usual_children);
  if (!limit)
    return limit.error();
  out.children = static_cast<uint32_t>(*limit);
  if (const auto* name = c.target.find("node")) {
    auto node = node_of(*name, "?node");
    if (!node)
      return node.error();
    out.node = *node;
  }
  const auto* path = c.target.find("path");
  if (path && out.node.nil())
    return bad_field("?path", "?path is below a node: name it with ?node");
  if (path && path->size() > longest_actor_path)
    return bad_field("?path", "?path is longer than any actor's");
  if (path)
    out.path = *path;
  if (c.target.find("cursor") && out.node.nil())
    return bad_field("?cursor",
                     "?cursor goes on below one supervisor: name it with ?node and ?path");
  auto after = number_parameter(c.target, "cursor", 1, ~uint64_t{0}, 0);
  if (!after)
    return after.error();
  out.after = *after;
  return out;
}

void api::read_actors(call& c) const {
  if (!way_.look)
    return c.done(answer_of(no_such_path(c.target.path)));
  auto what = tree_asked_for(c);
  if (!what)
    return c.done(answer_of(what.error()));
  const auto one = what->node;
  auto found = [one, done = std::move(c.done)](const auto& nodes, size_t left_out) {
    if (const auto* tree = one.nil() ? nullptr : &nodes.at(one).tree;
        tree && !*tree && tree->error().code == std::errc::invalid_argument)
      return done(answer_of(
          {"unknown_actor", 404, "No such supervisor", tree->error().message, "?path", {}}));
    done(json_answer(200, actors_json(nodes, left_out)));
  };
  auto survey = std::make_shared<actor_survey>(*what, one.nil(), way_.look, std::move(found));
  if (!one.nil()) {
    survey->add({{one, view_->name_of_node(one), false}});
    return survey->end();
  }
  std::vector<linked_node> nodes{{way_.self, {}, false}};
  for (auto& [id, name] : view_->host_names())
    nodes.push_back({id, std::move(name), false});
  for (auto& each : view_->nodes())
    if (each.wish != member_wish::removed)
      nodes.push_back({each.id, std::move(each.name), false});
  if (way_.status) {
    survey->begin();
    way_.status({}, [survey](const std::optional<group_status>& status) {
      std::vector<linked_node> members;
      if (status)
        for (const auto& each : status->members)
          members.push_back({each.node, {}, true});
      survey->add(members);
      survey->end();
    });
  }
  survey->add(nodes);
  survey->end();
}

void api::kill(call& c) const {
  if (!way_.kill) {
    auto why = no_such_path(c.target.path);
    why.detail = "actors can't be killed over this node; where it is for trials only, set chaos = "
                 "true below [node] in its file, and start it again";
    return c.done(answer_of(why));
  }
  auto parameters = only_parameters(c.target, {});
  if (!parameters)
    return c.done(answer_of(parameters.error()));
  auto body = parse_kill(c.request->body);
  if (!body)
    return c.done(answer_of(body.error()));
  auto node = node_of(body->node, "/node");
  if (!node)
    return c.done(answer_of(node.error()));
  way_.kill({*node, body->actor}, [done = c.done, path = body->actor](bool ok, std::string why) {
    if (ok)
      return done(json_answer(200, R"({"status":"killed"})"));
    done(answer_of(
        {"unknown_actor",
         404,
         "Not killed",
         why.empty() ? "no actor is at that path; list them with GET /api/v1/cluster/actors" : why,
         "/actor",
         {}}));
  });
}

} // namespace novacron
