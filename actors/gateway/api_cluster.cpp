#include "actors/gateway/api.hpp"
#include "actors/gateway/request_bodies.hpp"
#include "actors/view/json_writer.hpp"

#include <algorithm>

namespace novacron {

namespace {

void write_id(json_writer& out, std::string_view key, node_id id) {
  out.key(key).text_or_null(id.nil() ? std::string{} : to_string(id));
}

/// 0: nothing was heard or compared yet; programs of before cluster version 4 say nothing.
void write_if_known(json_writer& out, std::string_view key, uint64_t value) {
  out.key(key);
  if (value != 0)
    out.number(value);
  else
    out.null();
}

/// Only the leader hears from all, so another one's word on a member is none.
void write_member(json_writer& out, const group_status& status, const group_member& member,
                  const std::string& name) {
  out.begin_object();
  write_id(out, "node", member.node);
  out.key("name").text_or_null(name);
  out.key("role").text(member.voter ? "voter" : "standby");
  out.key("leader").boolean(member.node == status.leads);
  write_if_known(out, "knows_version", member.knows);
  if (status.by_leader()) {
    out.key("online").boolean(member.online);
    out.key("stored_index").number(member.stored_index);
    out.key("lag").number(status.commit_index - std::min(status.commit_index, member.stored_index));
    write_if_known(out, "compared_index", member.compared_index);
  } else {
    out.key("online").null();
    out.key("stored_index").null();
    out.key("lag").null();
    out.key("compared_index").null();
  }
  out.end_object();
}

template <class NameOf>
std::string cluster_json(const group_status& status, NameOf name_of) {
  const auto voters = static_cast<uint64_t>(
      std::ranges::count_if(status.members, [](const auto& each) { return each.voter; }));
  json_writer out;
  out.begin_object();
  write_id(out, "leader", status.leads);
  write_id(out, "seen_by", status.node);
  out.key("term").number(status.term);
  out.key("commit_index").number(status.commit_index);
  out.key("applied_index").number(status.applied_index);
  out.key("timeline").number(status.timeline);
  write_if_known(out, "cluster_version", status.cluster_version);
  out.key("voters").number(voters);
  // What an acknowledged write survives.
  out.key("survives").text(voters >= 3 ? "any minority of voters" : "its disk");
  out.key("installing").boolean(status.installing);
  out.key("refused").text_or_null(status.refused);
  out.key("changing").text_or_null(status.changing);
  out.key("members").begin_array();
  for (const auto& each : status.members)
    write_member(out, status, each, name_of(each.node));
  out.end_array();
  out.end_object();
  return out.take();
}

} // namespace

void api::read_cluster(call& c) const {
  auto known = only_parameters(c.target, {});
  if (!known)
    return c.done(answer_of(known.error()));
  if (!way_.status)
    return c.done(answer_of(no_such_path(c.target.path)));
  way_.status({}, [view = view_, done = std::move(c.done)](const auto& status) {
    if (!status)
      return done(answer_of(no_leader("no replica answered; ask again shortly")));
    auto json = cluster_json(*status, [&](node_id id) { return view->name_of_node(id); });
    done(json_answer(200, std::move(json)));
  });
}

/// Lets the replicas compare their states where the log is now. What came of it is
/// in /cluster; who is found wrong has stopped.
void api::compare(call& c) const {
  auto key = begin_change(c);
  if (!key)
    return c.done(answer_of(key.error()));
  if (auto empty = parse_nothing(c.request->body); !empty)
    return c.done(answer_of(empty.error()));
  propose({compare_states{}, std::move(*key)}, c.done, [done = c.done](const auto& outcome) {
    json_writer out;
    out.begin_object();
    out.key("index").number(outcome.revision);
    out.end_object();
    done(json_answer(202, out.take()));
  });
}

/// Ready is who could serve: the state is here, connections come, and somebody leads.
void api::ready(call& c) const {
  if (!view_->complete())
    return c.done(answer_of(view_behind("the state has not been read yet; ask again shortly")));
  if (!c.request->listens)
    return c.done(answer_of(view_behind("this gateway does not listen at the API's port yet; ask "
                                        "again shortly, or end who listens there and doesn't share "
                                        "it")));
  auto yes = [](const answer_function& done) { done(json_answer(200, R"({"status":"ready"})")); };
  if (!way_.status)
    return yes(c.done);
  way_.status({}, [yes, done = std::move(c.done)](const std::optional<group_status>& status) {
    if (!status || status->leads.nil())
      return done(answer_of(no_leader("no leader is known; ask again shortly")));
    yes(done);
  });
}

} // namespace novacron
