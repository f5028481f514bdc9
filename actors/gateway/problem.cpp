#include "actors/gateway/problem.hpp"

#include "actors/view/json_writer.hpp"

namespace novacron {

namespace {

struct kind {
  unsigned status;
  const char* title;
  const char* remedy; ///< said when the outcome has no detail of its own
};

kind kind_of(command_errc error) {
  switch (error) {
  case command_errc::unknown_vm:
    return {404, "No such VM", "list the VMs with GET /api/v1/vms"};
  case command_errc::unknown_host:
    return {404, "No such host", "list the hosts with GET /api/v1/hosts"};
  case command_errc::unknown_migration:
    return {404, "No such migration", "list them with GET /api/v1/migrations"};
  case command_errc::name_taken:
    return {409, "Name taken", "choose another name or delete the VM that has it"};
  case command_errc::vm_deleted:
    return {409, "VM deleted", "create another VM"};
  case command_errc::wrong_state:
    return {409, "Not in this state", "read the VM and wait for another state"};
  case command_errc::no_capacity:
    return {409, "No capacity", "free memory on a host, add a host or ask for less"};
  case command_errc::same_host:
    return {422, "Already on this host", "name another host, or none to let the scheduler choose"};
  case command_errc::migration_in_progress:
    return {409, "Migration in progress", "wait for its end: GET /api/v1/migrations"};
  case command_errc::already_decided:
    return {409, "Already decided", "read the migration"};
  case command_errc::revision_mismatch:
    return {412, "Changed meanwhile", "read the VM again and repeat with its ETag"};
  case command_errc::key_reused:
    return {422, "Idempotency-Key reused", "use a new key for another request"};
  case command_errc::overloaded:
    return {503, "Overloaded", "nothing was done; come back later"};
  case command_errc::not_leader:
    return {503, "No leader", "nothing was done; come back later"};
  case command_errc::unknown_outcome:
    return {503, "Outcome unknown", "outcome unknown, repeat with the same Idempotency-Key"};
  case command_errc::rule_broken:
    return {409, "Placement rule broken", "name another host, or none, or change the rules"};
  case command_errc::unknown_task:
    return {404, "No such task", "list the tasks with GET /api/v1/tasks"};
  case command_errc::unknown_node:
    return {404, "No such node", "list the nodes with GET /api/v1/nodes"};
  case command_errc::node_removed:
    return {409, "Node removed", "let the machine join as a new node"};
  case command_errc::node_in_use:
    return {409, "Node in use", "move or delete the VMs on it"};
  case command_errc::bad_token:
    return {403, "Token refused", "ask for a new one: POST /api/v1/join-tokens"};
  case command_errc::hosts_awaited:
    return {409, "Hosts awaited", "start the hosts, or fence those that are lost"};
  case command_errc::needs_upgrade:
    return {409, "Upgrade not finished", "upgrade every controller: novacron cluster status"};
  case command_errc::other_disk:
    return {409, "Another disk", "replace the node"};
  // Answers to hosts, never to clients.
  case command_errc::none:
  case command_errc::stale_epoch:
  case command_errc::stale_report:
  case command_errc::stale_lease:
    break;
  }
  return {500, "Unexpected answer", "report this with the time of the request"};
}

} // namespace

std::string to_json(const problem& x) {
  json_writer out;
  out.begin_object();
  out.key("type").text("urn:novacron:problem:" + x.code);
  out.key("title").text(x.title);
  out.key("status").number(x.status);
  out.key("detail").text(x.detail);
  if (!x.field.empty())
    out.key("field").text(x.field);
  out.end_object();
  return out.take();
}

problem problem_of(const command_outcome& outcome) {
  auto [status, title, remedy] = kind_of(outcome.error);
  std::string detail = outcome.detail;
  bool unknown = outcome.error == command_errc::unknown_outcome;
  if (detail.empty())
    detail = remedy;
  else if (unknown)
    detail += std::string{"; "} + remedy;
  return {to_string(outcome.error), status, title, std::move(detail), {}, {}};
}

problem bad_field(std::string field, std::string detail) {
  return {"bad_field", 400, "Bad input", std::move(detail), std::move(field), {}};
}

problem bad_request(std::string detail) {
  return {"bad_request", 400, "Bad request", std::move(detail), {}, {}};
}

problem no_such(std::string_view what, std::string_view id) {
  return {"unknown_" + std::string{what},
          404,
          "No such " + std::string{what},
          "there is no " + std::string{what} + " " + std::string{id.substr(0, 64)}
              + "; list what there is with GET /api/v1/" + std::string{what} + "s",
          {},
          {}};
}

problem unauthorized() {
  return {"unauthorized",  401,
          "Unauthorized",  "send a known token in the header \"Authorization: Bearer …\"",
          "Authorization", {}};
}

problem no_such_path(std::string_view path) {
  return {"unknown_path",
          404,
          "No such path",
          "nothing is at " + std::string{path.substr(0, 128)} + "; the API is below /api/v1",
          {},
          {}};
}

problem method_not_allowed(std::string_view method, std::string_view allow) {
  return {"method_not_allowed",
          405,
          "Method not allowed",
          std::string{method} + " is not possible here; use one of: " + std::string{allow},
          {},
          std::string{allow}};
}

problem body_too_large(size_t limit) {
  return {"body_too_large",
          413,
          "Body too large",
          "the body is longer than " + std::to_string(limit) + " bytes; send less",
          {},
          {}};
}

problem headers_too_large(size_t bytes, size_t fields) {
  return {"headers_too_large",
          431,
          "Headers too large",
          "the headers are longer than " + std::to_string(bytes) + " bytes, or more than "
              + std::to_string(fields) + "; send fewer",
          {},
          {}};
}

problem overloaded(shed_reason why) {
  auto detail = [why]() -> std::string {
    switch (why) {
    case shed_reason::connections:
      return "too many connections are open; nothing was done, come back later";
    case shed_reason::in_flight:
    case shed_reason::waits:
      return "too many requests are open; nothing was done, come back later";
    case shed_reason::strangers:
      return "too many requests without a token are open; nothing was done, come back later";
    case shed_reason::bodies:
      return "too many bodies are being read; nothing was done, come back later";
    case shed_reason::answers:
      return "too many large answers are being sent; come back later";
    }
    return {};
  };
  return {"overloaded", 503, "Overloaded", detail(), {}, {}};
}

problem view_behind(std::string detail) {
  return {"view_behind", 503, "Not ready", std::move(detail), {}, {}};
}

problem no_leader(std::string detail) {
  return {"not_leader", 503, "No leader", std::move(detail), {}, {}};
}

problem outcome_unknown() {
  return problem_of({.error = command_errc::unknown_outcome,
                     .detail = "the log did not answer in time",
                     .revision = 0,
                     .repeated = false,
                     .vm = {},
                     .operation = {},
                     .migration = {},
                     .phase = migration_phase::reserved,
                     .lease = {},
                     .task = {}});
}

problem events_too_old(uint64_t since) {
  return {"events_too_old",
          410,
          "Events too old",
          "the events after revision " + std::to_string(since)
              + " are not kept any more; list again, and follow from that list's revision",
          "?since",
          {}};
}

} // namespace novacron
