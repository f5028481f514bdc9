#include "actors/gateway/placement_json.hpp"

#include "actors/view/json_writer.hpp"

#include <algorithm>

namespace novacron {

namespace {

void write_verdict(json_writer& out, const host_verdict& host, bool chosen) {
  out.begin_object();
  out.key("host").text(host.name);
  out.key("host_id").text(to_string(host.host));
  out.key("fits").boolean(host.fits());
  out.key("chosen").boolean(chosen);
  out.key("here").boolean(host.here);
  out.key("filters").begin_array();
  for (const auto& each : host.filters) {
    out.begin_object();
    out.key("filter").text(each.filter);
    out.key("passed").boolean(each.why_not.empty());
    out.key("reason").text_or_null(each.why_not);
    out.end_object();
  }
  out.end_array();
  out.key("scores").begin_array();
  for (const auto& each : host.scores) {
    out.begin_object();
    out.key("weigher").text(each.weigher);
    out.key("score").number(each.score);
    out.key("weight").number(each.weight);
    out.end_object();
  }
  out.end_array();
  out.key("total").number(host.total);
  out.end_object();
}

std::string name_of(const placement_state& state, node_id host) {
  auto at = state.hosts().find(host);
  return at == state.hosts().end() ? std::string{} : at->second.name;
}

void write_share(json_writer& out, std::string_view key, const std::map<node_id, uint32_t>& shares,
                 node_id host) {
  out.key(key).fraction(shares.at(host) / 10.0);
}

} // namespace

std::string plan_json(const placement_plan& plan, uint64_t revision) {
  auto chosen = std::ranges::find(plan.hosts, plan.chosen, &host_verdict::host);
  json_writer out;
  out.begin_object();
  out.key("host").text_or_null(chosen == plan.hosts.end() ? std::string{} : chosen->name);
  out.key("host_id").text_or_null(plan.chosen.nil() ? std::string{} : to_string(plan.chosen));
  out.key("reason").text_or_null(plan.detail);
  out.key("hosts").begin_array();
  for (const auto& host : plan.hosts)
    write_verdict(out, host, host.host == plan.chosen);
  out.end_array();
  out.key("revision").number(revision);
  out.end_object();
  return out.take();
}

std::string rebalance_json(const rebalance_plan& plan, const placement_state& state,
                           uint64_t revision) {
  json_writer out;
  out.begin_object();
  out.key("spread_percent").fraction(plan.spread / 10.0);
  out.key("moves").begin_array();
  for (const auto& step : plan.steps) {
    out.begin_object();
    const auto* vm = state.find(step.vm);
    out.key("vm").text_or_null(vm ? vm->name : std::string{});
    out.key("vm_id").text(to_string(step.vm));
    out.key("from").text_or_null(name_of(state, step.from));
    out.key("to").text_or_null(name_of(state, step.to));
    out.key("spread_percent").fraction(step.spread / 10.0);
    out.end_object();
  }
  out.end_array();
  out.key("hosts").begin_array();
  for (const auto& [host, share] : plan.before) {
    out.begin_object();
    out.key("host").text_or_null(name_of(state, host));
    write_share(out, "load_percent", plan.before, host);
    write_share(out, "load_after_percent", plan.after, host);
    out.end_object();
  }
  out.end_array();
  out.key("revision").number(revision);
  out.end_object();
  return out.take();
}

} // namespace novacron
