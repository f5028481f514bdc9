#include "runtime/cli/render.hpp"

#include "runtime/cli/table.hpp"

#include <array>
#include <boost/json/serialize.hpp>
#include <cstdio>

namespace novacron {

namespace {

namespace json = boost::json;

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string fixed(double x) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2f", x);
  return text;
}

std::string mebibytes(const json::value& object, std::string_view key) {
  return format_bytes(field_number(object, key) * 1'048'576);
}

table_row vm_row(const json::value& vm) {
  return {field_text(vm, "name"),      field_text(vm, "actual"),
          field_text(vm, "requested"), or_dash(field_text(vm, "host")),
          field_text(vm, "vcpus"),     mebibytes(vm, "memory_mib"),
          field_text(vm, "id")};
}

table_row host_row(const json::value& host) {
  const bool awaited = field_text(host, "awaited") == "true";
  return {field_text(host, "name"),
          field_text(host, "state") + (awaited ? ", awaited" : ""),
          field_text(host, "vms"),
          field_text(host, "vcpus"),
          mebibytes(host, "memory_used_mib") + " of " + mebibytes(host, "memory_mib"),
          field_text(host, "accelerator"),
          field_text(host, "hypervisor"),
          field_text(host, "id")};
}

table_row migration_row(const json::value& migration) {
  const auto& cost = field(migration, "cost");
  bool known = cost.is_object();
  const auto position = field_text(field(migration, "queue"), "position");
  return {field_text(migration, "id"),
          field_text(migration, "vm"),
          or_dash(field_text(migration, "from")),
          or_dash(field_text(migration, "to")),
          field_text(migration, "phase") + (position.empty() ? "" : ", at " + position),
          known ? fixed(field_number(cost, "seconds")) : "-",
          known ? fixed(field_number(cost, "ratio")) : "-"};
}

/// A member of an object in it, and so on, is a line of its own: cost.pages.zero.
void add_pairs(const json::value& document, const std::string& under,
               std::vector<std::pair<std::string, std::string>>& pairs) {
  const auto* object = document.if_object();
  if (object == nullptr)
    return;
  for (const auto& [key, value] : *object) {
    const std::string name{key.data(), key.size()};
    if (value.is_object() && !value.get_object().empty())
      add_pairs(value, under + name + '.', pairs);
    else
      pairs.emplace_back(under + name, or_dash(field_text(document, name)));
  }
}

} // namespace

const json::value& field(const json::value& object, std::string_view key) {
  static const json::value null;
  auto* members = object.if_object();
  auto* found = members == nullptr ? nullptr : members->if_contains({key.data(), key.size()});
  return found == nullptr ? null : *found;
}

std::string field_text(const json::value& object, std::string_view key) {
  const auto& value = field(object, key);
  if (auto* text = value.if_string())
    return {text->data(), text->size()};
  if (auto* number = value.if_double()) {
    std::array<char, 32> shown{};
    std::snprintf(shown.data(), shown.size(), "%.6g", *number);
    return shown.data();
  }
  return value.is_null() ? std::string{} : json::serialize(value);
}

double field_number(const json::value& object, std::string_view key) {
  boost::system::error_code error;
  auto x = field(object, key).to_number<double>(error);
  return error ? 0 : x;
}

std::string render_list(listed_thing what, const json::array& items) {
  std::vector<table_row> rows;
  for (const auto& item : items)
    rows.push_back(what == listed_thing::vms     ? vm_row(item)
                   : what == listed_thing::hosts ? host_row(item)
                                                 : migration_row(item));
  switch (what) {
  case listed_thing::vms:
    return format_table({"NAME", "ACTUAL", "REQUESTED", "HOST", "VCPUS", "MEMORY", "ID"}, rows);
  case listed_thing::hosts:
    return format_table(
        {"NAME", "STATE", "VMS", "VCPUS", "MEMORY", "ACCELERATOR", "HYPERVISOR", "ID"}, rows);
  case listed_thing::migrations:
    break;
  }
  return format_table({"ID", "VM", "FROM", "TO", "PHASE", "SECONDS", "RATIO"}, rows);
}

std::string render_one(const json::value& document) {
  std::vector<std::pair<std::string, std::string>> pairs;
  add_pairs(document, {}, pairs);
  return format_pairs(pairs);
}

std::string render_cluster(const json::value& cluster) {
  std::string leader = "nobody";
  std::vector<table_row> rows;
  if (const auto* members = field(cluster, "members").if_array())
    for (const auto& member : *members) {
      const auto name = or_dash(field_text(member, "name"));
      const bool leads = field_text(member, "leader") == "true";
      if (leads)
        leader = name == "-" ? field_text(member, "node") : name;
      const auto online = field_text(member, "online");
      rows.push_back({name, field_text(member, "role"), leads ? "leader" : "-",
                      online.empty()     ? "unknown"
                      : online == "true" ? "online"
                                         : "silent",
                      or_dash(field_text(member, "stored_index")),
                      or_dash(field_text(member, "lag")),
                      or_dash(field_text(member, "knows_version")),
                      or_dash(field_text(member, "compared_index")), field_text(member, "node")});
    }
  std::vector<std::pair<std::string, std::string>> facts{
      {"leader", leader},
      {"term", field_text(cluster, "term")},
      {"committed", field_text(cluster, "commit_index")},
      {"cluster version", or_dash(field_text(cluster, "cluster_version"))},
      {"a write survives", field_text(cluster, "survives")}};
  if (const auto refused = field_text(cluster, "refused"); !refused.empty())
    facts.emplace_back("refused", refused);
  return format_pairs(facts)
         + format_table(
             {"NAME", "ROLE", "LEADS", "ONLINE", "STORED", "LAG", "KNOWS", "SAME AT", "ID"}, rows);
}

std::string render_nodes(const json::array& nodes) {
  std::vector<table_row> rows;
  for (const auto& node : nodes) {
    std::string roles;
    if (const auto* list = field(node, "roles").if_array())
      for (const auto& role : *list)
        roles += (roles.empty() ? "" : "+") + std::string{role.as_string()};
    const auto member = field_text(node, "member");
    const auto wanted = field_text(node, "wanted");
    const auto up = field_text(node, "up");
    rows.push_back({field_text(node, "name"), member.empty() ? "-" : member,
                    wanted == "unsaid" ? "-" : wanted,
                    field_text(node, "leader") == "true" ? "leader" : "-",
                    up.empty()     ? "-"
                    : up == "true" ? "up"
                                   : "down",
                    or_dash(field_text(node, "lag")), or_dash(roles),
                    or_dash(field_text(node, "mesh_address")), field_text(node, "id")});
  }
  return format_table({"NAME", "MEMBER", "WANTED", "LEADS", "UP", "LAG", "ROLES", "ADDRESS", "ID"},
                      rows);
}

std::string render_node_progress(const json::value& node, const std::string& changing) {
  const auto member = field_text(node, "member");
  const auto lag = field_text(node, "lag");
  return field_text(node, "name") + ": " + (member.empty() ? "no member" : member) + ", wanted "
         + field_text(node, "wanted") + (lag.empty() ? "" : ", lag " + lag)
         + (changing.empty() ? "" : " (" + changing + ')');
}

std::string render_event(const json::value& event) {
  const auto& record = field(event, "record");
  auto name = field_text(record, "name");
  auto line = field_text(event, "revision") + "  " + field_text(event, "type") + ' '
              + (name.empty() ? field_text(record, "id") : name) + ' ' + field_text(event, "event");
  for (auto key : {"requested", "actual", "state", "phase", "verb", "host"})
    if (auto value = field_text(record, key); !value.empty())
      line += std::string{"  "} + key + '=' + value;
  return line + '\n';
}

std::string render_progress(const json::value& migration) {
  const auto& progress = field(migration, "progress");
  auto line = field_text(migration, "from") + " to " + field_text(migration, "to") + ": ";
  const auto& queue = field(migration, "queue");
  if (queue.is_object())
    return line + "queued, at " + field_text(queue, "position") + ", to begin "
           + or_dash(field_text(queue, "expected_start"));
  if (!progress.is_object())
    return line + field_text(migration, "phase");
  return line + field_text(progress, "phase") + ", round " + field_text(progress, "round") + ", "
         + format_bytes(field_number(progress, "remaining_bytes")) + " remaining, "
         + format_bytes(field_number(progress, "bytes_per_second")) + "/s, ratio "
         + fixed(field_number(progress, "ratio"));
}

std::string render_problem(unsigned status, const json::value& problem) {
  auto title = field_text(problem, "title");
  auto detail = field_text(problem, "detail");
  auto name = field_text(problem, "field");
  return (title.empty() ? "the gateway answered " + std::to_string(status) : title)
         + (name.empty() ? "" : " (" + name + ')') + '\n'
         + (detail.empty() ? "look into the gateway's log" : detail) + '\n';
}

} // namespace novacron
