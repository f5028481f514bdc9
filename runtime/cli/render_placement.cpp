#include "runtime/cli/render_placement.hpp"

#include "runtime/cli/render.hpp"
#include "runtime/cli/table.hpp"

#include <cstdio>

namespace novacron {

namespace {

namespace json = boost::json;

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string percent(const json::value& object, std::string_view key) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", field_number(object, key));
  return text;
}

template <class Each>
void for_each(const json::value& object, std::string_view key, Each each) {
  if (const auto* list = field(object, key).if_array())
    for (const auto& item : *list)
      each(item);
}

/// "fits", or all that is missing.
std::string verdict_of(const json::value& host) {
  std::string missing;
  for_each(host, "filters", [&](const json::value& filter) {
    if (field_text(filter, "passed") == "false")
      missing += (missing.empty() ? "" : "; ") + field_text(filter, "filter") + ": "
                 + field_text(filter, "reason");
  });
  return missing.empty() ? "fits" : missing;
}

std::string scores_of(const json::value& host) {
  std::string all;
  for_each(host, "scores", [&](const json::value& score) {
    all += (all.empty() ? "" : ", ") + field_text(score, "weigher") + ' '
           + field_text(score, "score") + " x" + field_text(score, "weight");
  });
  return or_dash(all);
}

std::string place_of(const json::value& host) {
  if (field_text(host, "here") == "true")
    return "is here";
  return field_text(host, "chosen") == "true" ? "chosen" : "-";
}

} // namespace

std::string render_plan(const json::value& plan) {
  std::vector<table_row> rows;
  for_each(plan, "hosts", [&](const json::value& host) {
    const bool fits = field_text(host, "fits") == "true";
    rows.push_back({field_text(host, "host"), place_of(host),
                    fits ? field_text(host, "total") : "-", verdict_of(host), scores_of(host)});
  });
  const auto host = field_text(plan, "host");
  const auto first = host.empty() ? field_text(plan, "reason") : "it would go to " + host;
  return first + "\n" + format_table({"HOST", "PLACE", "TOTAL", "FILTERS", "SCORES"}, rows);
}

std::string render_task(const json::value& task) {
  std::vector<table_row> rows;
  for_each(task, "vms", [&](const json::value& vm) {
    const auto name = field_text(vm, "vm");
    rows.push_back({name.empty() ? field_text(vm, "vm_id") : name, field_text(vm, "state"),
                    or_dash(field_text(vm, "to")), field_text(vm, "attempts"),
                    or_dash(field_text(vm, "reason"))});
  });
  return format_pairs({{"task", field_text(task, "id")},
                       {"kind", field_text(task, "kind")},
                       {"host", or_dash(field_text(task, "host"))},
                       {"state", field_text(task, "state")},
                       {"deadline", or_dash(field_text(task, "deadline"))},
                       {"then", field_text(task, "then")}})
         + format_table({"VM", "STATE", "TO", "ATTEMPTS", "REASON"}, rows);
}

std::string render_tasks(const json::array& tasks) {
  std::vector<table_row> rows;
  for (const auto& task : tasks)
    rows.push_back({field_text(task, "id"), field_text(task, "kind"),
                    or_dash(field_text(task, "host")), field_text(task, "state"),
                    field_text(task, "waiting"), field_text(task, "moving"),
                    field_text(task, "finished"), field_text(task, "failed")});
  return format_table({"ID", "KIND", "HOST", "STATE", "WAITING", "MOVING", "FINISHED", "FAILED"},
                      rows);
}

std::string render_task_progress(const json::value& task) {
  const auto host = field_text(task, "host");
  return field_text(task, "kind") + (host.empty() ? "" : " of " + host) + ": "
         + field_text(task, "finished") + " finished, " + field_text(task, "moving") + " moving, "
         + field_text(task, "waiting") + " waiting, " + field_text(task, "failed") + " failed";
}

std::string render_rebalance(const json::value& plan) {
  std::vector<table_row> moves;
  for_each(plan, "moves", [&](const json::value& move) {
    moves.push_back({field_text(move, "vm"), field_text(move, "from"), field_text(move, "to"),
                     percent(move, "spread_percent")});
  });
  std::vector<table_row> hosts;
  for_each(plan, "hosts", [&](const json::value& host) {
    hosts.push_back({field_text(host, "host"), percent(host, "load_percent"),
                     percent(host, "load_after_percent")});
  });
  auto text = "hosts' loads differ by " + percent(plan, "spread_percent") + " percent of memory"
              + (moves.empty() ? "; nothing is to be moved\n" : "\n");
  if (!moves.empty())
    text += format_table({"VM", "FROM", "TO", "DIFFER BY THEN"}, moves);
  return text + format_table({"HOST", "LOAD %", "LOAD % THEN"}, hosts);
}

} // namespace novacron
