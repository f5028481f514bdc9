#include "actors/gateway/node_documents.hpp"

#include "actors/view/json_writer.hpp"

#include <algorithm>

namespace novacron {

namespace {

bool is_up(host_state state) {
  return state != host_state::joining && state != host_state::unreachable
         && state != host_state::fenced && state != host_state::gone;
}

void write_up(json_writer& out, const shown_node& node) {
  out.key("up");
  if (node.record.wish == member_wish::removed)
    out.null();
  else if (node.member && node.commit_index)
    out.boolean(node.member->online);
  else if (node.host)
    out.boolean(is_up(*node.host));
  else
    out.null();
}

} // namespace

bool shown_node::settled() const {
  switch (record.wish) {
  case member_wish::unsaid:
    return true;
  case member_wish::standby:
    return member && !member->voter;
  case member_wish::voter:
    return member && member->voter && record.replaces.nil();
  case member_wish::leaving:
    return false;
  case member_wish::removed:
    break;
  }
  return !member;
}

std::vector<shown_node> shown_nodes(const std::vector<node_record>& nodes,
                                    const std::vector<host_record>& hosts,
                                    const std::optional<group_status>& status) {
  std::vector<shown_node> all;
  for (const auto& each : nodes)
    all.push_back({each, {}, {}, false, {}});
  auto entry = [&](node_id id) -> shown_node& {
    for (auto& each : all)
      if (each.record.id == id)
        return each;
    all.push_back({});
    all.back().record.id = id;
    return all.back();
  };
  for (const auto& host : hosts) {
    auto& shown = entry(host.id);
    shown.host = host.state;
    if (shown.record.name.empty()) {
      shown.record.name = host.name;
      shown.record.roles = {node_role::host};
      shown.record.mesh_address = host.mesh_address;
    }
  }
  if (status)
    for (const auto& member : status->members) {
      auto& shown = entry(member.node);
      shown.member = member;
      shown.leads = member.node == status->leads;
      if (status->by_leader())
        shown.commit_index = status->commit_index;
    }
  std::ranges::sort(all, {}, [](const shown_node& x) {
    return std::pair{x.record.name, x.record.id};
  });
  return all;
}

std::string shown_node_json(const shown_node& node) {
  const auto& record = node.record;
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(record.id));
  out.key("name").text_or_null(record.name);
  out.key("roles").begin_array();
  for (auto role : record.roles)
    out.text(to_string(role));
  out.end_array();
  out.key("mesh_address").text_or_null(record.mesh_address);
  out.key("member").text_or_null(!node.member ? "" : node.member->voter ? "voter" : "standby");
  out.key("wanted").text(to_string(record.wish));
  out.key("replaces").text_or_null(record.replaces.nil() ? "" : to_string(record.replaces));
  out.key("settled").boolean(node.settled());
  out.key("leader").boolean(node.leads);
  write_up(out, node);
  if (node.member && node.commit_index) {
    const auto stored = node.member->stored_index;
    out.key("stored_index").number(stored);
    out.key("lag").number(*node.commit_index - std::min(*node.commit_index, stored));
  } else {
    out.key("stored_index").null();
    out.key("lag").null();
  }
  out.key("host").text_or_null(node.host ? to_string(*node.host) : "");
  out.key("revision").number(record.revision);
  out.end_object();
  return out.take();
}

} // namespace novacron
