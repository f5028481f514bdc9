#include "actors/view/record_json.hpp"

#include "actors/view/json_writer.hpp"
#include "messages/names.hpp"

#include <algorithm>
#include <cstdio>

namespace novacron {

namespace {

template <class Id>
void id_member(json_writer& out, std::string_view key, const Id& id) {
  out.key(key).text_or_null(id.nil() ? std::string{} : to_string(id));
}

void time_member(json_writer& out, std::string_view key, log_time time) {
  out.key(key).text_or_null(time == log_time{} ? std::string{} : to_rfc3339(time));
}

double ratio(uint64_t guest_bytes, uint64_t wire_bytes) {
  return wire_bytes == 0 ? 0.0 : static_cast<double>(guest_bytes) / static_cast<double>(wire_bytes);
}

void progress_member(json_writer& out, const migration_progress* progress) {
  out.key("progress");
  if (progress == nullptr) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("phase").text(progress->phase);
  out.key("round").number(progress->round);
  out.key("remaining_bytes").number(progress->remaining_bytes);
  out.key("guest_bytes").number(progress->guest_bytes);
  out.key("wire_bytes").number(progress->wire_bytes);
  out.key("bytes_per_second").number(progress->bytes_per_second);
  out.key("ratio").fraction(ratio(progress->guest_bytes, progress->wire_bytes));
  out.end_object();
}

void prospect_member(json_writer& out, const queue_prospect* prospect) {
  out.key("queue");
  if (prospect == nullptr) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("position").number(prospect->position);
  time_member(out, "expected_start", prospect->expected_start);
  out.end_object();
}

void work_members(json_writer& out, const page_work& work) {
  out.key("pages").begin_object();
  out.key("zero").number(work.zero_pages);
  out.key("whole").number(work.whole_pages);
  out.key("same").number(work.same_pages);
  out.key("changed").number(work.changed_pages);
  out.end_object();
  out.key("raw_bytes").begin_object();
  for (size_t n = 0; n < work.raw_bytes.size(); ++n)
    out.key(word_of(static_cast<opaque_reason>(n))).number(work.raw_bytes[n]);
  out.end_object();
  out.key("packed_bytes").number(work.packed_bytes);
  out.key("reconnects").number(work.reconnects);
}

void cost_member(json_writer& out, const migration_cost& cost) {
  out.key("cost");
  if (cost == migration_cost{}) {
    out.null();
    return;
  }
  out.begin_object();
  out.key("seconds").fraction(std::chrono::duration<double>(cost.duration).count());
  out.key("guest_bytes").number(cost.guest_bytes);
  out.key("wire_bytes").number(cost.wire_bytes);
  out.key("ratio").fraction(ratio(cost.guest_bytes, cost.wire_bytes));
  out.key("rounds").number(cost.rounds);
  out.key("chain_ok").boolean(cost.chain_ok);
  if (cost.work != page_work{}) // the source said it
    work_members(out, cost.work);
  out.end_object();
}

void labels_member(json_writer& out, std::string_view key,
                   const std::map<std::string, std::string>& labels) {
  out.key(key).begin_object();
  for (const auto& [name, value] : labels)
    out.key(name).text(value);
  out.end_object();
}

void words_member(json_writer& out, std::string_view key, const std::vector<std::string>& words) {
  out.key(key).begin_array();
  for (const auto& word : words)
    out.text(word);
  out.end_array();
}

void rule_member(json_writer& out, std::string_view key, const std::vector<std::string>& required,
                 const std::vector<std::string>& preferred) {
  out.key(key).begin_object();
  words_member(out, "required", required);
  words_member(out, "preferred", preferred);
  out.end_object();
}

/// As a create takes it.
void placement_member(json_writer& out, const placement_rules& rules) {
  out.key("placement").begin_object();
  words_member(out, "groups", rules.groups);
  out.key("labels").begin_object();
  labels_member(out, "required", rules.required_labels);
  labels_member(out, "preferred", rules.preferred_labels);
  out.end_object();
  rule_member(out, "affinity", rules.required_affinity, rules.preferred_affinity);
  rule_member(out, "anti_affinity", rules.required_anti_affinity, rules.preferred_anti_affinity);
  out.end_object();
}

void spec_members(json_writer& out, const vm_spec& spec) {
  out.key("vcpus").number(spec.vcpus);
  out.key("memory_mib").number(spec.memory_mib);
  out.key("image").text(spec.image);
  out.key("kernel_arguments").text(spec.kernel_arguments);
  out.key("restart").text(to_string(spec.restart));
  labels_member(out, "labels", spec.labels);
  placement_member(out, spec.placement);
  words_member(out, "networks", spec.networks);
}

} // namespace

std::string vm_json(const vm_record& vm, std::string_view host) {
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(vm.id));
  out.key("name").text(vm.name);
  spec_members(out, vm.spec);
  out.key("requested").text(to_string(vm.requested));
  out.key("actual").text(to_string(vm.actual));
  out.key("reason").text_or_null(vm.reason);
  out.key("fenced").boolean(vm.fenced);
  out.key("host").text_or_null(host);
  id_member(out, "host_id", vm.host);
  out.key("epoch").text(to_string(vm.epoch));
  out.key("restarts").number(vm.restarts.count);
  time_member(out, "restart_due", vm.restarts.due);
  id_member(out, "migration", vm.migration);
  id_member(out, "operation", vm.operation);
  time_member(out, "created", vm.created);
  time_member(out, "changed", vm.changed);
  out.key("revision").number(vm.revision);
  out.end_object();
  return out.take();
}

std::string host_json(const host_record& host, const host_usage& usage) {
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(host.id));
  out.key("name").text(host.name);
  out.key("state").text(to_string(host.state));
  out.key("vcpus").number(host.vcpus);
  out.key("memory_mib").number(host.memory_mib);
  out.key("memory_used_mib").number(usage.memory_mib);
  out.key("vms").number(usage.vms);
  words_member(out, "images", host.images);
  words_member(out, "networks", host.networks);
  out.key("hypervisor").text(host.hypervisor);
  out.key("accelerator").text(host.accelerator);
  out.key("live_migration_problem").text_or_null(host.live_migration_problem);
  out.key("mesh_address").text(host.mesh_address);
  out.key("fences").boolean(host.fences);
  out.key("awaited").boolean(
      host.is_awaited()); // after a recovery: it has yet to say what runs there
  labels_member(out, "labels", host.labels);
  out.key("memory_overcommit_percent").number(host.memory_overcommit_percent);
  out.key("vcpu_overcommit_percent").number(host.vcpu_overcommit_percent);
  out.key("migrations_at_once").number(host.migrations_at_once);
  out.key("migrations_between_sites").number(host.migrations_between_sites);
  out.key("maintenance").text(to_string(host.maintenance));
  id_member(out, "drain", host.drain);
  out.key("revision").number(host.revision);
  out.end_object();
  return out.take();
}

std::string migration_json(const migration_record& migration, std::string_view from,
                           std::string_view to, const migration_progress* progress,
                           const queue_prospect* prospect) {
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(migration.id));
  out.key("vm").text(to_string(migration.vm));
  out.key("from").text_or_null(from);
  out.key("to").text_or_null(to);
  id_member(out, "from_id", migration.from);
  id_member(out, "to_id", migration.to);
  out.key("phase").text(to_string(migration.phase));
  out.key("reason").text_or_null(migration.reason);
  out.key("intent").text(to_string(migration.terms.intent));
  out.key("max_pause_ms").number(migration.terms.pause().count());
  if (const auto limit = migration.terms.time_limit; limit.count() > 0)
    out.key("max_seconds").number(std::chrono::ceil<std::chrono::seconds>(limit).count());
  else
    out.key("max_seconds").null();
  out.key("priority").text(to_string(migration.terms.priority));
  out.key("attempt").number(migration.attempt);
  out.key("tries").number(migration.terms.tries);
  prospect_member(out, prospect);
  progress_member(out, progress);
  cost_member(out, migration.cost);
  id_member(out, "operation", migration.operation);
  time_member(out, "created", migration.created);
  time_member(out, "not_before", migration.not_before);
  time_member(out, "begun", migration.begun);
  time_member(out, "decided", migration.decided);
  time_member(out, "ended", migration.ended);
  out.key("revision").number(migration.revision);
  out.end_object();
  return out.take();
}

std::string operation_json(const operation_record& operation) {
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(operation.id));
  out.key("verb").text(to_string(operation.verb));
  id_member(out, "vm", operation.vm);
  id_member(out, "migration", operation.migration);
  out.key("state").text(to_string(operation.state));
  out.key("error").text_or_null(operation.error);
  time_member(out, "created", operation.created);
  time_member(out, "ended", operation.ended);
  out.key("revision").number(operation.revision);
  out.end_object();
  return out.take();
}

namespace {

void roles_member(json_writer& out, const std::vector<node_role>& roles) {
  out.key("roles").begin_array();
  for (auto role : roles)
    out.text(to_string(role));
  out.end_array();
}

} // namespace

std::string task_json(const task_record& task, const std::function<std::string(node_id)>& host,
                      const std::function<std::string(vm_id)>& vm) {
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(task.id));
  out.key("kind").text(to_string(task.kind));
  out.key("state").text(to_string(task.state));
  out.key("host").text_or_null(host(task.host));
  id_member(out, "host_id", task.host);
  out.key("parallel").number(task.parallel);
  time_member(out, "deadline", task.deadline);
  out.key("then").text(to_string(task.then));
  for (auto state :
       {move_state::waiting, move_state::moving, move_state::finished, move_state::failed})
    out.key(to_string(state))
        .number(static_cast<uint64_t>(std::ranges::count(task.moves, state, &task_move::state)));
  out.key("vms").begin_array();
  for (const auto& move : task.moves) {
    out.begin_object();
    out.key("vm").text_or_null(vm(move.vm));
    out.key("vm_id").text(to_string(move.vm));
    out.key("state").text(to_string(move.state));
    out.key("to").text_or_null(host(move.to));
    id_member(out, "migration", move.migration);
    out.key("attempts").number(move.attempts);
    out.key("stopped").boolean(move.stopped);
    out.key("reason").text_or_null(move.reason);
    out.end_object();
  }
  out.end_array();
  time_member(out, "created", task.created);
  time_member(out, "ended", task.ended);
  out.key("revision").number(task.revision);
  out.end_object();
  return out.take();
}

std::string node_json(const node_record& node) {
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(node.id));
  out.key("name").text(node.name);
  roles_member(out, node.roles);
  out.key("mesh_address").text(node.mesh_address);
  out.key("wanted").text(to_string(node.wish));
  id_member(out, "replaces", node.replaces);
  out.key("revision").number(node.revision);
  out.end_object();
  return out.take();
}

std::string join_token_json(const join_token_record& token) {
  json_writer out;
  out.begin_object();
  out.key("id").text(to_string(token.id));
  roles_member(out, token.roles);
  time_member(out, "created", token.created);
  time_member(out, "expires", token.expires);
  id_member(out, "used_by", token.used_by);
  out.key("revision").number(token.revision);
  out.end_object();
  return out.take();
}

std::string to_rfc3339(log_time time) {
  using namespace std::chrono;
  auto day = floor<days>(time);
  year_month_day date{day};
  hh_mm_ss<milliseconds> clock{time - day};
  char text[64];
  std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

} // namespace novacron
